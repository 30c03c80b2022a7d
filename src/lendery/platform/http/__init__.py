"""What every HTTP face of Lendery shares.

problems.py     errors as application/problem+json
edge.py         the pure-ASGI layers in front of the router
identity.py     who asks: bearer tokens to actors
hot.py          the fast path for the most read answers
answers.py      pages, ETags, If-Match, Idempotency-Key
openapi.py      what each endpoint needs and may answer, documented
"""
