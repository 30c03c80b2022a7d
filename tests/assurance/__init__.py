"""The reliability programme: what must hold when many come at once, and proof that it is watched.

    races.py       the races: many requests at the same moment, and what must be true afterwards
    evidence.py    what the database says happened, whatever the answers said
    desks.py       many requests at the same moment
    places.py      where a race is run: real processes, or several libraries in this one
    guards.py      each guard of the code, and how it is taken out to see the race fail
    programme.py   the sizes, and the table in docs/reliability.md

The tests run the races in small; `python -m tests.assurance` runs the same code at full size.
"""
