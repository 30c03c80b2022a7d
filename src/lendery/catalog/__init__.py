"""The catalog: books (bibliographic records), their authors and subjects, and their copies.

Owns what a book and a copy *are*, what is one and the same, and finding them. Asks circulation
which branches there are, what state a copy is in and whether it was ever lent. Tells when a book
or a copy was added, changed, withdrawn, removed or merged; follows what circulation tells so that
a search can say what is in.
"""
