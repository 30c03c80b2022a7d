"""A made-up town's library to look at and to measure with.

Real titles, invented readers and two years of lending, all of it computed from seeds and files in
this package: no network, no clock, no database. Whoever fills a database takes the three lists
from here and writes them through its own tables.
"""
