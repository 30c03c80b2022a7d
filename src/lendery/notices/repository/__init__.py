"""All SQL of notices, as named questions and writes.

messages.py     what readers were told
mails.py        e-mails on their way: queued, claimed, and what became of them
mail_lists.py   the same as staff look through them
people.py       preferences, addresses that refuse mail, and forgetting a person
steps.py        what was written about once
templates.py    the library's own words
"""
