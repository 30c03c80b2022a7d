"""The library's own words."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects import postgresql

from lendery.contracts.notices import TemplateKey, TemplateText
from lendery.notices.models import template
from lendery.platform.db import Session, Statement, Tx

HERE = (
    template.c.kind == bindparam("at_kind"),
    template.c.language == bindparam("at_language"),
    template.c.medium == bindparam("at_medium"),
)
ALL = Statement(select(template))
ONE = Statement(select(template).where(*HERE))
_new = postgresql.insert(template).values(
    {each.name: bindparam(each.name, type_=each.type) for each in template.c}
)
KEEP = Statement(
    _new.on_conflict_do_update(
        index_elements=["kind", "language", "medium"],
        set_={
            name: _new.excluded[name]
            for name in ("subject", "body", "version", "changed_at", "changed_by")
        },
        where=template.c.version == _new.excluded.version - 1,
    )
)
RESET = Statement(delete(template).where(*HERE))


def _at(key: TemplateKey) -> dict[str, str]:
    return {f"at_{name}": value for name, value in key.model_dump().items()}


async def edited(session: Session) -> list[Any]:
    return await session.rows(ALL)


async def texts(session: Session) -> dict[TemplateKey, TemplateText]:
    """Only the words."""
    return {
        TemplateKey.model_validate(row): TemplateText(subject=row.subject, body=row.body)
        for row in await edited(session)
    }


async def template_with(session: Session, key: TemplateKey) -> Any | None:
    return await session.row(ONE, **_at(key))


async def keep(tx: Tx, row: Mapping[str, Any]) -> bool:
    """False: somebody else wrote this version."""
    return await tx.run(KEEP, **row) == 1


async def reset(tx: Tx, key: TemplateKey) -> bool:
    """False: it was not edited."""
    return await tx.run(RESET, **_at(key)) == 1
