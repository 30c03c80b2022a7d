"""Language codes, brought to one form as the catalogue does it."""

from lendery.catalog.rules.languages import language_code

__all__ = ["language_code"]
