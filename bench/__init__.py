"""How fast Lendery is, as ratios to limits measured in the same run (docs/performance.md).

    python -m bench                     everything, about six minutes
    python -m bench reads --rounds 9    one part
    python -m bench --quick             does it run at all
    python -m bench --write             put the tables into docs/performance.md

    library.py    the library that is measured, the same on SQLite and on PostgreSQL
    servers.py    Lendery and the bare ASGI application, each in a process of its own
    load.py       who asks: wrk, or a small client of ours where there is none
    reads.py      P1 and P2: books and lists over HTTP, cached and not
    lending.py    P3: check-outs over HTTP
    recorded.py   what a check-out sends to its database, for pgbench and plain sqlite3
    starting.py   P9: start to ready, resident memory, what the imports cost
    stalls.py     how long the event loop ever keeps a request waiting
    figures.py    medians, tables, docs/performance.md

Nothing here is a test: a figure says how far a goal is, and fails nothing.
"""
