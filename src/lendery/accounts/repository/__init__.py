"""All SQL of accounts, as named questions and writes.

people.py    users, their blocks, the card counter
sessions.py  log-in sessions and refresh tokens
keys.py      signing keys
failures.py  failed log-ins
"""
