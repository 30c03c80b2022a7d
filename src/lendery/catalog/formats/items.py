"""Copies that a MARC record tells of: 852, Koha's 952, or what a profile names."""

from lendery.catalog.formats.numbers import minor_units
from lendery.catalog.formats.record import values
from lendery.catalog.formats.text import LONGEST_LINE, clean
from lendery.catalog.formats.values import Holding, ItemField, Profile


def holdings(
    found: dict[str, list[str]], profile: Profile, warnings: list[str]
) -> tuple[Holding, ...]:
    """Each copy once by its barcode. A field without anything that tells of a copy is no copy."""
    kept: dict[object, Holding] = {}
    for place in profile.items:
        for text in found.get(place.tag, ()):
            copy = _copy(text, place, profile)
            if copy is None:
                continue
            key: object = copy.barcode or object()
            if key in kept:
                warnings.append(f"Two copies have the barcode {copy.barcode}; the first counts.")
            else:
                kept[key] = copy
    return tuple(kept.values())


def _copy(text: str, place: ItemField, profile: Profile) -> Holding | None:
    branch = _first(text, place.branch)
    kind = _first(text, place.item_type)
    price = _first(text, place.price)
    copy = Holding(
        barcode=_first(text, place.barcode),
        branch=profile.branches.get(branch, branch) if branch else None,
        item_type=profile.item_types.get(kind, kind) if kind else None,
        location=_first(text, place.location),
        call_number=clean(" ".join(values(text, place.call_number)))[:LONGEST_LINE] or None,
        price_amount=minor_units(price) if price else None,
        note=_first(text, place.note),
    )
    if copy.barcode or (copy.branch and (copy.call_number or copy.location)):
        return copy
    return None


def _first(text: str, codes: str) -> str | None:
    """The first of the subfields that is there, in the order in which the profile wants them."""
    for code in codes:
        for value in values(text, code):
            return clean(value)[:LONGEST_LINE] or None
    return None
