"""All SQL of reviews, as named questions and writes.

Nothing is joined: what is kept of a review, of its reports and of a book's stars are three
documents, and another store could answer the same questions.

reviews.py  what was written
reports.py  what was reported of it
merged.py   which books are one, and where their reviews stand
stars.py    how many stars a book has, and whose turn it is to change that
"""
