"""`python -m lendery` is the command `lendery`."""

from lendery.cli import main

main()
