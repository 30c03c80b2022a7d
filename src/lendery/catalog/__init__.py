"""The catalog: books (bibliographic records), their authors and subjects, and their copies.

Owns what a book and a copy *are*, and finding them. Asks circulation which branches there are,
what state a copy is in and whether it was ever lent. Tells when a book or a copy was added,
changed, withdrawn or removed; follows what circulation tells so that a search can say what is in.
"""
