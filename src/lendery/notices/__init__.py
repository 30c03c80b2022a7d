"""Notices: what readers are told, in the inbox and by e-mail, and what became of each mail.

Owns notices, mails and their delivery log, templates, preferences and addresses that refuse mail.
Reacts to what circulation announces, and asks circulation whom it is about, what is due, and
accounts for name, address and language at the moment of sending. Keeps neither addresses nor the
words that were sent. Forgets everything about people who are removed.
"""
