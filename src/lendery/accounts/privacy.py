"""What accounts holds about a person, and for how long it keeps what ends by itself."""

from sqlalchemy import func

from lendery.accounts.models import LOOKUPS, block, failure, refresh, session, user
from lendery.platform.personal import Personal, Place
from lendery.platform.retention import aged

SECRETS = frozenset({"password_hash", "search_words", "removed_at"})
ALL_BUT_ID = frozenset(each.name for each in user.c) - {"id"}

PERSONAL = Personal(
    places=(
        Place("person", user.c.id, "erased", hidden=SECRETS, where=(user.c.removed_at.is_(None),)),
        Place("blocks", block.c.user_id, "erased", hidden=frozenset({"user_id"})),
        Place("sessions", session.c.user_id, "erased", hidden=frozenset({"user_id"})),
        Place(
            "refresh tokens",
            session.c.user_id,
            "erased",
            hidden=frozenset({"digest"}),
            by_way_of=(refresh.c.session_id, session.c.id),
        ),
        Place(
            "guarantor of",
            user.c.guarantor_id,
            "unlinked",
            why="They are people of their own.",
            hidden=ALL_BUT_ID,
        ),
        Place("look-ups by staff", LOOKUPS.c.patron_id, "erased"),
    ),
    lookup=LOOKUPS,
)
LIMITS = (
    aged(
        "ended sessions",
        session,
        func.coalesce(session.c.revoked_at, session.c.expires_at),
        lambda settings: settings.sessions_days,
        with_them=((refresh.c.session_id, session.c.id),),
    ),
    aged("failed log-ins", failure, failure.c.at, lambda settings: 1),
    aged("look-ups by staff", LOOKUPS, LOOKUPS.c.at, lambda settings: settings.lookups_days),
)
