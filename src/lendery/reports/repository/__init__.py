"""All SQL of reports, as named questions and writes.

counting.py   what events add
learning.py   what the catalog said of copies and books
asking.py     what the reports are made of
rebuilding.py all of it anew
"""
