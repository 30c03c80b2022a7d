"""Lendery: a library management system, from a school's laptop to a city's cluster."""

__version__ = "0.1.0"
