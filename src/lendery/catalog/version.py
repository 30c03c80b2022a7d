"""The version of a record: who changes what they have not seen?"""

from lendery.contracts.base import Input, Invalid, Stale


def fresh(now_at: int, expected: int | None) -> None:
    """Raises Stale when the record is no longer what the writer saw."""
    if expected is not None and expected != now_at:
        raise Stale("This has changed since you read it. Read it again.", version=now_at)


def not_empty(changes: Input, *names: str) -> None:
    """Raises Invalid for a null where something must stand."""
    says = "This must not be empty."
    empty = [n for n in names if n in changes.model_fields_set and getattr(changes, n) is None]
    if empty:
        errors = [{"pointer": f"#/{name}", "says": says} for name in empty]
        raise Invalid(f"{', '.join(empty)}: {says}", errors=errors)
