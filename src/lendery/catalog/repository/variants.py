"""Other forms of a name ("see from"), and what else to look at ("see also").

Authors and subjects alike: `kind` says which of them a heading is.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, select, update

from lendery.catalog.models import author, see_also, subject, variant
from lendery.catalog.rules.fold import folded_name
from lendery.contracts.authorities import HeadingKind, HeadingRef, Variant
from lendery.platform.db import Session, Statement, Tx, any_of
from lendery.platform.db.session import Write

SHOWN = (variant.c.id, variant.c.name)
OF_HEADING = Statement(
    select(*SHOWN)
    .where(variant.c.heading_id == bindparam("heading_id"))
    .order_by(variant.c.folded, variant.c.id)
)
OF_HEADINGS = Statement(
    select(variant.c.heading_id, variant.c.name)
    .where(any_of(variant.c.heading_id, "ids"))
    .order_by(variant.c.folded, variant.c.id)
)
BY_NAMES = Statement(
    select(variant.c.kind, variant.c.folded, variant.c.heading_id).where(
        variant.c.kind.in_(("author", "subject")), any_of(variant.c.folded, "names")
    )
)
PUT = Statement(insert(variant))
MOVE = Statement(
    update(variant)
    .where(variant.c.id == bindparam("at_id"))
    .values(heading_id=bindparam("to_id", type_=variant.c.heading_id.type))
)
DROP = Statement(
    delete(variant).where(
        variant.c.id == bindparam("id"), variant.c.heading_id == bindparam("heading_id")
    )
)
DROP_ALL = Statement(delete(variant).where(variant.c.heading_id == bindparam("heading_id")))
_seen_author = select(author.c.id, author.c.name).join(see_also, see_also.c.other_id == author.c.id)
_seen_subject = select(subject.c.id, subject.c.name).join(
    see_also, see_also.c.other_id == subject.c.id
)
SEEN = {
    "author": Statement(
        _seen_author.where(see_also.c.heading_id == bindparam("heading_id")).order_by(
            author.c.filed, author.c.id
        )
    ),
    "subject": Statement(
        _seen_subject.where(see_also.c.heading_id == bindparam("heading_id")).order_by(
            subject.c.filed, subject.c.id
        )
    ),
}
THERE = {
    "author": Statement(select(author.c.id).where(any_of(author.c.id, "ids"))),
    "subject": Statement(select(subject.c.id).where(any_of(subject.c.id, "ids"))),
}
RELATE = Statement(insert(see_also))
PART = Statement(
    delete(see_also).where(
        see_also.c.heading_id == bindparam("heading_id"),
        see_also.c.other_id == bindparam("other_id"),
    )
)

PART_ALL = Statement(
    delete(see_also).where(
        (see_also.c.heading_id == bindparam("heading_id"))
        | (see_also.c.other_id == bindparam("heading_id"))
    )
)


async def variants(session: Session, *, heading_id: UUID) -> list[Variant]:
    rows = await session.rows(OF_HEADING, heading_id=heading_id)
    return [Variant(id=row.id, name=row.name) for row in rows]


async def variants_of(session: Session, author_ids: Iterable[UUID]) -> dict[UUID, list[str]]:
    """The other forms of the names of these authors, where there are any."""
    ids = list(set(author_ids))
    found: defaultdict[UUID, list[str]] = defaultdict(list)
    for row in await session.rows(OF_HEADINGS, ids=ids) if ids else ():
        found[row.heading_id].append(row.name)
    return found


async def headings_called(
    session: Session, *, authors: Iterable[str] = (), subjects: Iterable[str] = ()
) -> tuple[dict[str, list[UUID]], dict[str, list[UUID]]]:
    """The headings of each kind that have these folded names as other forms."""
    wanted = {"author": set(authors), "subject": set(subjects)}
    found = {kind: defaultdict[str, list[UUID]](list) for kind in wanted}
    names = list(wanted["author"] | wanted["subject"])
    for row in await session.rows(BY_NAMES, names=names) if names else ():
        if row.folded in wanted[row.kind]:
            found[row.kind][row.folded].append(row.heading_id)
    return found["author"], found["subject"]


def added(kind: HeadingKind, heading_id: UUID, shown: Variant, *, now: datetime) -> Write:
    return PUT, {
        "id": shown.id,
        "kind": kind,
        "heading_id": heading_id,
        "name": shown.name,
        "folded": folded_name(shown.name),
        "created_at": now,
    }


def moved(variant_id: UUID, *, to: UUID) -> Write:
    return MOVE, {"at_id": variant_id, "to_id": to}


async def removed(tx: Tx, *, heading_id: UUID, variant_id: UUID) -> bool:
    return await tx.run(DROP, id=variant_id, heading_id=heading_id) > 0


async def forget(tx: Tx, *, heading_id: UUID) -> None:
    """All variants of a heading that goes, and what led to it."""
    await tx.run(DROP_ALL, heading_id=heading_id)
    await tx.run(PART_ALL, heading_id=heading_id)


async def seen_from(session: Session, kind: HeadingKind, *, heading_id: UUID) -> list[HeadingRef]:
    rows = await session.rows(SEEN[kind], heading_id=heading_id)
    return [HeadingRef(id=row.id, name=row.name) for row in rows]


def related(kind: HeadingKind, one: UUID, other: UUID) -> list[Write]:
    return [
        (RELATE, {"heading_id": here, "other_id": there, "kind": kind})
        for here, there in ((one, other), (other, one))
    ]


async def parted(tx: Tx, *, one: UUID, other: UUID) -> bool:
    gone = await tx.run(PART, heading_id=one, other_id=other)
    return gone + await tx.run(PART, heading_id=other, other_id=one) > 0


async def that_exist(session: Session, kind: HeadingKind, *, ids: list[UUID]) -> list[UUID]:
    """Those of the headings that are still there."""
    return [row.id for row in await session.rows(THERE[kind], ids=ids)] if ids else []
