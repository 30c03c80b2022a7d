"""People: their cards, roles, blocks, passwords and log-in sessions.

Owns who a person is and what their card says. Asks nobody. Tells that a person was registered,
changed or removed; circulation, which remembers people for its desks, then asks `Patrons`.
Every process checks access tokens itself with the keys that `Keys` publishes.
"""
