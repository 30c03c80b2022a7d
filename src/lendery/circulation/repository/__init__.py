"""All SQL of circulation, as named questions and writes.

house.py        branches, calendars, rules, and the version of it all
remembered.py   the patrons and copies we have met
loans.py        loans: the facts of a decision, and what was decided
"""
