"""Lendery: a library management system, from a school's laptop to a city's cluster."""

import gc

__version__ = "0.1.0"

# A million objects are made while the program loads, and stay. To look through them again and
# again for what nobody needs any more was a fifth of each start.
gc.set_threshold(50_000, 10, 10)
