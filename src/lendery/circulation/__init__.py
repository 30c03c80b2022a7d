"""Circulation: who has which copy, until when, who waits for it, and what it costs to be late.

Owns branches, calendars, the rule table, loans, holds, the ledger of fees, and the state of every
copy (on loan, lost, in transit ...). Asks accounts who a patron is and the catalog what a copy is,
once: then it remembers them (`without_neighbours.py`), so that lending goes on when they are down.
Tells everyone what happened.

    rules/           every decision, pure: start here
    desk.py          the loans port: lend, renew, take back
    lending.py       check-out        renewals.py   renewing      returns.py   taking back
    cases.py         the facts of a check-out
    undoing.py       mistakes undone: restoring.py  what they caused   reversing_money.py
    losing.py        lost and found   ageing.py     lost by age   claims.py    claimed returned
    suspending.py    days without borrowing    recalling.py  loans called back
    renewing_itself.py   loans that renew themselves
    waiting.py       why a hold has no copy yet    waiting_times.py  when it may have one
    holds.py         the holds port   placing.py    placing one   hold_steps.py  a hold's life
    filling.py       who gets which free copy: the queue and the shelves, put to the rules
    handing_over.py  a copy came in that somebody waits for     collecting.py   and it goes out
    fees.py          the fees port    settling.py   the till      charging.py  lateness and the like
    cash_sessions.py  the drawer of a desk: opened, counted    drawers.py  in whose count money goes
    cash_days.py      the day's totals
    patron_accounts.py   how a patron's account stands
    without_neighbours.py  patrons and copies met before: why accounts may be down
    house.py         branches, ways, calendars and rules as they stand, ready to decide with
    copy_states.py   what each copy is doing now, the flags staff put on it, its history
    replay.py        the log played back    history.py    its rows    telling.py   its words
    telling_money.py  of money
    branches.py, transport.py, rule_table.py   the house's set-up, edited
    rule_versions.py  the rule table as a whole, as rows or text    rule_saving.py  a version
    simulations.py    a draft of it is to be tried out              simulating.py   and is
"""
