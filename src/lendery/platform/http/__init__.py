"""What every HTTP face of Lendery shares.

problems.py     errors as application/problem+json
edge.py         the pure-ASGI layers in front of the router
limits.py       the layer that counts requests
identity.py     who asks: bearer tokens to actors
routes_index.py the router's table, indexed
front.py        the most read answers in one step; wire.py writes them
fast.py         the same behind the layers
hot.py          what is kept of them, and how long; kept.py the answers
answers.py      pages, ETags, If-Match, Idempotency-Key
openapi.py      what each endpoint needs and may answer, documented
"""
