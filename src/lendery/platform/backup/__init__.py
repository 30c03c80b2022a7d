"""Backup and restore: one file from a library that goes on lending, and a library from it again.

The file does not depend on the database: what one kept on SQLite can go on in PostgreSQL.

    values.py      what a table is in a backup: its columns, and each value as JSON
    format.py      the lines of a backup, counted and checked
    encryption.py  sealing with a passphrase
    file.py        the file: header, compression, permissions
    checking.py    whether a file is whole
    dump.py        a library into a file
    load.py        the lines into tables, read back and compared
    place.py       where a library may be restored: never over anything
    restore.py     a file into a library
    scheduled.py   backups by the clock
"""


class Refused(Exception):
    """Why there is no backup, or why one is not restored: a sentence for people."""
