"""What the catalog decides without looking anything up.

fold.py     when two spellings are the same words
filing.py   where a title and a name stand on the shelf list
isbn.py     what a standard book number says
alike.py    which two records probably speak of one book, which two names of one person
works.py    which books are editions of one work, and where one stands in its series
query.py    what somebody meant who typed this into the search box
"""
