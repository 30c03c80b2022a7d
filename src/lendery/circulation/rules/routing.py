"""Where a copy goes next when it came in and nobody waits for it (who does: filling.py)."""

from uuid import UUID


def where_next(*, here: UUID, home: UUID, floats: bool) -> UUID | None:
    """The branch it is sent to; None: it is shelved here.

    A copy that floats stays where it was returned.
    """
    return None if here == home or floats else home
