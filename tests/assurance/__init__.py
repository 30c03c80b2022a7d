"""The reliability programme: what must hold when many come at once, and proof that it is watched.

    races.py       the races: many requests at the same moment, and what must be true afterwards
    evidence.py    what the database says happened, whatever the answers said
    desks.py       many requests at the same moment
    places.py      where a race is run: real processes, or several libraries in this one
    guards.py      each guard of the code, and how it is taken out to see the race fail
    programme.py   the sizes, and the table in docs/reliability.md

    again.py       every POST that moves a book or money, sent again however its answer was lost
    proxy.py       connections that are cut
    storm.py       sixteen clients at once, who note what they ask and what they are told
    storm_blows.py what is killed or stopped in the middle of it, and how it comes back
    storm_truth.py were the answers true? the log, the tables, the API
    storm_calm.py  is everything done that was announced? the neighbours, the logs' own checks
    storm_kills.py a storm, blow after blow, and what that cost
    broken_*.py    libraries that are broken in one way, which a storm must show

The tests run the races in small; `python -m tests.assurance` runs the same code at full size.
"""
