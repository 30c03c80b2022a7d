"""Desks that lend without a connection.

register.py    desks come and go
uploads.py     a batch is checked as a whole, then taken one transaction at a time
recording.py   what one transaction does: as far as it can be, what happened is recorded
conflicts.py   what nobody at the desk could know is listed, and settled by people
"""
