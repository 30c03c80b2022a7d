"""Reviews: what readers think of books, in stars and words, and what staff decide about them.

Owns reviews, reports and the stars of each book. Asks the catalog whether there is such a book,
and circulation whether the reader has borrowed it. Tells when a review was posted, changed,
removed, reported or decided about, and what stars a book has now; the catalog follows that.
Forgets the names of people who are removed, and the reviews of books that are destroyed.
"""
