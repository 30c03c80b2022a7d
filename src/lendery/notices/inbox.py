"""The inbox of a reader, and how the reader wants to be told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.contracts.accounts import Users
from lendery.contracts.base import (
    Invalid,
    NotAllowed,
    PeerFailed,
    PeerUnavailable,
    Stale,
    Window,
)
from lendery.contracts.notices import (
    Kind,
    NoSuchNotice,
    Notice,
    NoticePage,
    NoticePreferences,
    PreferenceChanges,
    ReadAll,
)
from lendery.contracts.permissions import SYSTEM, Actor, Permission
from lendery.notices.letters import Stationery
from lendery.notices.posting import Ways, wishes_of
from lendery.notices.repository import messages, people
from lendery.notices.repository import templates as kept
from lendery.notices.rules.kinds import KINDS, REQUIRED, Wishes, by_email, is_for
from lendery.notices.templates import languages_of
from lendery.notices.unsubscribing import read_token
from lendery.platform.db import Database, Session, Tx
from lendery.platform.paging import make_cursor, read_cursor
from lendery.platform.settings import Settings

TRIES = 5  # when two write the preferences of one reader at once


@dataclass(frozen=True)
class Inbox:
    """Implements contracts.notices.Notices."""

    db: Database
    users: Users
    settings: Settings

    async def inbox(self, *, unread: bool, window: Window, actor: Actor) -> NoticePage:
        patron_id = _whose(actor)
        after = read_cursor(window.after, UUID)[0] if window.after else None
        account = await self._language(patron_id)
        async with self.db.read() as session:
            rows = await messages.of_patron(
                session, patron_id=patron_id, unread=unread, after=after, most=window.limit + 1
            )
            items = await self._shown(session, rows[: window.limit], patron_id, account)
            new = await messages.how_many(session, patron_id=patron_id, unread=True)
            total = new
            if window.total and not unread:
                total = await messages.how_many(session, patron_id=patron_id, unread=False)
        more = len(rows) > window.limit
        return NoticePage(
            items=items,
            next_cursor=make_cursor(items[-1].id) if more else None,
            total=total if window.total else None,
            unread=new,
            mail=self._ways.mailed,
        )

    async def read(self, *, notice_id: UUID, actor: Actor, now: datetime) -> Notice:
        patron_id = _whose(actor)
        account = await self._language(patron_id)
        async with self.db.begin() as tx:
            await messages.read(tx, message_id=notice_id, patron_id=patron_id, now=now)
            row = await messages.message_with(tx, message_id=notice_id, patron_id=patron_id)
            if row is None:
                raise NoSuchNotice("There is no such notice in your inbox.")
            return (await self._shown(tx, [row], patron_id, account))[0]

    async def read_all(self, *, actor: Actor, now: datetime) -> ReadAll:
        async with self.db.begin() as tx:
            read = await messages.read_all(tx, patron_id=_whose(actor), now=now)
        return ReadAll(read=read)

    async def preferences(self, *, actor: Actor) -> NoticePreferences:
        patron_id = _whose(actor)
        async with self.db.read() as session:
            return await self._preferences(session, actor, patron_id)

    async def prefer(
        self,
        *,
        changes: PreferenceChanges,
        given: frozenset[str],
        actor: Actor,
        now: datetime,
        version: int | None = None,
    ) -> NoticePreferences:
        patron_id = _whose(actor)
        async with self.db.begin() as tx:
            before = (await people.preferences(tx, [patron_id])).get(patron_id)
            stands = before.version if before else 0
            if version is not None and version != stands:
                raise _stale(stands)
            after = _changed(before, changes, given)
            if not await _keep(tx, patron_id, after, stands, now):
                raise _stale(stands + 1)
            return await self._preferences(tx, actor, patron_id)

    async def unsubscribing(self, *, token: str) -> list[Kind]:
        return read_token(token, self._secret)[1]

    async def unsubscribe(self, *, token: str, now: datetime) -> list[Kind]:
        patron_id, kinds = read_token(token, self._secret)
        if await self._is_gone(patron_id):
            return kinds
        for _ in range(TRIES):
            async with self.db.begin() as tx:
                before = (await people.preferences(tx, [patron_id])).get(patron_id)
                off = PreferenceChanges(email=dict.fromkeys(kinds, False))
                after = _changed(before, off, frozenset({"email"}))
                if await _keep(tx, patron_id, after, before.version if before else 0, now):
                    return kinds
        raise _stale(None)

    @property
    def _secret(self) -> str:
        return self.settings.secret.get_secret_value()

    @property
    def _ways(self) -> Ways:
        return Ways.of(self.settings)

    async def _is_gone(self, patron_id: UUID) -> bool:
        """Was this person removed? While accounts is away nobody is."""
        try:
            return not await self.users.by_ids(ids=[patron_id], actor=SYSTEM)
        except (PeerUnavailable, PeerFailed):
            return False

    async def _language(self, patron_id: UUID) -> str | None:
        """That of the account; while accounts is away, none."""
        try:
            found = await self.users.by_ids(ids=[patron_id], actor=SYSTEM)
        except (PeerUnavailable, PeerFailed):
            return None
        return found[0].language if found else None

    async def _shown(
        self, session: Session, rows: Sequence[Any], patron_id: UUID, account: str | None
    ) -> list[Notice]:
        if not rows:
            return []
        said = (await people.preferences(session, [patron_id])).get(patron_id)
        own = said.language if said else None
        stationery = Stationery(self.settings, await kept.texts(session))
        languages = languages_of(own, account, self.settings.notices_language)
        found = []
        for row in rows:
            subject, body = stationery.shown(row, languages)
            found.append(
                Notice(
                    id=row.id,
                    kind=row.kind,
                    subject=subject,
                    body=body,
                    created_at=row.created_at,
                    read_at=row.read_at,
                )
            )
        return found

    async def _preferences(
        self, session: Session, actor: Actor, patron_id: UUID
    ) -> NoticePreferences:
        row = (await people.preferences(session, [patron_id])).get(patron_id)
        wishes = wishes_of(row, self._ways)
        begin, end = wishes.quiet or (None, None)
        return NoticePreferences(
            email={kind: by_email(kind, wishes) for kind in KINDS if is_for(kind, actor)},
            required=REQUIRED,
            digest=wishes.digest,
            quiet_from=begin,
            quiet_until=end,
            language=wishes.language,
            mail=self._ways.mailed,
            bounced=bool(await people.bounced(session, [patron_id])),
            version=row.version if row else 0,
        )


def _whose(actor: Actor) -> UUID:
    actor.must(Permission.OWN_ACCOUNT)
    if actor.id is None:
        raise NotAllowed("Only people have an inbox.")
    return actor.id


def _changed(before: Any | None, changes: PreferenceChanges, given: frozenset[str]) -> Wishes:
    """What is wanted from now on. Raises Invalid."""
    email = dict(before.email) if before else {}
    if "email" in given:
        wanted = changes.email or {}
        for kind in REQUIRED:
            if wanted.get(kind) is False:
                raise _invalid(f"email/{kind}", "These mails cannot be switched off.")
        email = {**email, **wanted} if changes.email is not None else {}
    quiet = (before.quiet_from, before.quiet_until) if before and before.quiet_from else None
    if given & {"quiet_from", "quiet_until"}:
        quiet = _quiet(changes, given)
    digest = bool(changes.digest) if "digest" in given else bool(before and before.digest)
    language = before.language if before else None
    if "language" in given:
        language = changes.language
    return Wishes(email=email, digest=digest, quiet=quiet, language=language)


def _quiet(changes: PreferenceChanges, given: frozenset[str]) -> tuple[str, str] | None:
    begin, end = changes.quiet_from, changes.quiet_until
    if begin is None and end is None:
        return None
    if begin is None or end is None:
        missing = "quiet_from" if begin is None else "quiet_until"
        raise _invalid(missing, "Say from when and until when.")
    if begin == end:
        raise _invalid("quiet_until", "Quiet hours end at another time than they begin.")
    return begin, end


async def _keep(tx: Tx, patron_id: UUID, wishes: Wishes, stands: int, now: datetime) -> bool:
    begin, end = wishes.quiet or (None, None)
    row = {
        "patron_id": patron_id,
        "email": dict(wishes.email),
        "digest": wishes.digest,
        "quiet_from": begin,
        "quiet_until": end,
        "language": wishes.language,
        "version": stands + 1,
        "changed_at": now,
    }
    return await people.keep_preference(tx, row)


def _invalid(pointer: str, says: str) -> Invalid:
    return Invalid(says, errors=[{"pointer": f"#/{pointer}", "says": says}])


def _stale(version: int | None) -> Stale:
    return Stale("This has changed since you read it. Read it again.", version=version)
