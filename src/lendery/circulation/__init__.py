"""Circulation: who has which copy, until when, and where it goes next.

Owns branches, calendars, the rule table, loans, and the state of every copy (on loan, lost,
in transit ...). Asks accounts who a patron is and the catalog what a copy is, once: then it
remembers them (`memory.py`), so that lending goes on when they are down. Tells everyone what
happened.

    rules/        every decision, pure: start here
    desk.py       the loans port: lend, renew, take back
    checkout.py   lending          renewals.py   renewing         returns.py   taking back
    memory.py     patrons and copies met before
    house.py      branches, calendars and rules as they stand, ready to decide with
    shelf.py      the state of copies
    branches.py, rulebook.py   the house's set-up, edited
"""
