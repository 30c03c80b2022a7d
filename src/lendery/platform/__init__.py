"""The machinery under every context: database, events, ports over HTTP, security, limits.

Knows no context. Read `db` first, then `events`, then `ports`.
"""
