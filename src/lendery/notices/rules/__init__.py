"""Decisions about notices: pure, over frozen facts.

kinds.py    what each kind of notice is: may it wait, can it be switched off
steps.py    which step of reminding a loan has reached
timing.py   quiet hours, the daily digest, when to try again
verdict.py  whether a mail goes out now, later, or not at all
"""
