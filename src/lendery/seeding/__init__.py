"""Feeding records to a Lendery that is running, over its own API, as another program would.

library.py       the library at the other end: signing in, asking politely, waiting
progress.py      how far a file has been fed, kept beside it
lines.py         the lines of a file, one at a time
feeding.py       every line sent once, whatever happens on the way
open_library.py  live samples of openlibrary.org
"""
