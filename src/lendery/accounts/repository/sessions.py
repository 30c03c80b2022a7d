"""Log-in sessions and their refresh tokens."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, select, update

from lendery.accounts.models import refresh, session, user
from lendery.contracts.identity import RevokedSession
from lendery.platform.db import Session, Statement, Tx, UtcDateTime

_at = bindparam("at", type_=UtcDateTime())
OPEN = Statement(insert(session))
ISSUE = Statement(insert(refresh))
USE = Statement(update(refresh).where(refresh.c.digest == bindparam("digest_")).values(used_at=_at))
REFRESH = Statement(
    select(
        refresh.c.session_id,
        refresh.c.used_at,
        session.c.user_id,
        session.c.expires_at,
        session.c.revoked_at,
    )
    .join_from(refresh, session, session.c.id == refresh.c.session_id)
    .where(refresh.c.digest == bindparam("digest"))
)
TOUCH = Statement(update(session).where(session.c.id == bindparam("id_")).values(last_used_at=_at))
END = Statement(
    update(session)
    .where(session.c.id == bindparam("id_"), session.c.revoked_at.is_(None))
    .values(revoked_at=_at)
)
END_ALL = Statement(
    update(session)
    .where(session.c.user_id == bindparam("user_id_"), session.c.revoked_at.is_(None))
    .values(revoked_at=_at)
)
END_OTHERS = Statement(
    update(session)
    .where(
        session.c.user_id == bindparam("user_id_"),
        session.c.id != bindparam("but"),
        session.c.revoked_at.is_(None),
    )
    .values(revoked_at=_at)
)
_over = (session.c.user_id == bindparam("user_id"), session.c.expires_at < _at)
FORGET_OVER = Statement(delete(session).where(*_over))
FORGET_TOKENS_OVER = Statement(
    delete(refresh).where(refresh.c.session_id.in_(select(session.c.id).where(*_over)))
)
ENDED_SINCE = Statement(
    select(session.c.id, session.c.revoked_at.label("at"))
    .where(session.c.revoked_at > bindparam("since", type_=UtcDateTime()))
    .order_by(session.c.revoked_at)
)
WHO = Statement(
    select(user.c.id, user.c.role, user.c.active, user.c.home_branch_id, user.c.password_hash)
    .where(user.c.id == bindparam("id"))
    .with_for_update()
)


async def who(tx: Tx, *, user_id: UUID) -> Any:
    """What a token says about a person (and the password kept), locked."""
    return await tx.row(WHO, id=user_id)


async def open_session(
    tx: Tx, *, session_id: UUID, user_id: UUID, digest: str, expires_at: datetime, now: datetime
) -> None:
    """A new session with its first refresh token; the person's bygone ones are forgotten."""
    opened = {
        "id": session_id,
        "user_id": user_id,
        "created_at": now,
        "expires_at": expires_at,
        "revoked_at": None,
        "last_used_at": now,
    }
    await tx.write(
        (FORGET_TOKENS_OVER, {"user_id": user_id, "at": now}),
        (FORGET_OVER, {"user_id": user_id, "at": now}),
        (OPEN, opened),
        (ISSUE, _issued(digest, session_id, now)),
    )


async def refresh_of(session: Session, *, digest: str) -> Any | None:
    """(session_id, used_at, user_id, expires_at, revoked_at)"""
    return await session.row(REFRESH, digest=digest)


async def continue_session(
    tx: Tx, *, session_id: UUID, used: str, digest: str, now: datetime
) -> None:
    """One refresh token is used, the next one issued. The person is locked meanwhile."""
    await tx.write(
        (USE, {"digest_": used, "at": now}),
        (TOUCH, {"id_": session_id, "at": now}),
        (ISSUE, _issued(digest, session_id, now)),
    )


async def end(tx: Tx, *, session_id: UUID, now: datetime) -> None:
    await tx.run(END, id_=session_id, at=now)


async def end_all(tx: Tx, *, user_id: UUID, now: datetime) -> None:
    await tx.run(END_ALL, user_id_=user_id, at=now)


async def end_others(tx: Tx, *, user_id: UUID, but: UUID | None, now: datetime) -> None:
    """All sessions of a person but the one in use."""
    if but is None:
        await end_all(tx, user_id=user_id, now=now)
    else:
        await tx.run(END_OTHERS, user_id_=user_id, but=but, at=now)


async def ended_since(session: Session, *, since: datetime) -> list[RevokedSession]:
    found = await session.rows(ENDED_SINCE, since=since)
    return [RevokedSession.model_validate(row) for row in found]


def _issued(digest: str, session_id: UUID, now: datetime) -> dict[str, Any]:
    return {"digest": digest, "session_id": session_id, "issued_at": now, "used_at": None}
