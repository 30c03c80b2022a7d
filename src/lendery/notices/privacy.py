"""What notices holds about a person, and for how long."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from lendery.notices.models import attachment, attempt, bounce, mail, message, preference, told
from lendery.notices.repository import mails, messages
from lendery.platform.personal import Personal, Place
from lendery.platform.retention import Limit

THEIRS = frozenset({"patron_id"})
OURS = frozenset({"patron_id", "worker", "lease_until"})

PERSONAL = Personal(
    places=(
        Place("notices", message.c.patron_id, "erased", hidden=THEIRS),
        Place("mails", mail.c.patron_id, "erased", hidden=OURS),
        Place(
            "mail attempts",
            mail.c.patron_id,
            "erased",
            by_way_of=(attempt.c.mail_id, mail.c.id),
        ),
        Place(
            "attachments",
            mail.c.patron_id,
            "erased",
            hidden=frozenset({"content"}),
            by_way_of=(attachment.c.mail_id, mail.c.id),
        ),
        Place("preferences", preference.c.patron_id, "erased", hidden=THEIRS),
        Place("refused address", bounce.c.patron_id, "erased", hidden=THEIRS | {"address"}),
        Place("told of the card", told.c.about, "erased", hidden=frozenset({"about"})),
    ),
)


async def throw_away(
    library: Any, now: datetime, step: Callable[[int], None], dry_run: bool
) -> dict[str, int]:
    """Old notices, then old mails that no notice needs. What was told once stays noted, without a
    name."""
    before = now - timedelta(days=library.settings.notices_keep_days)
    if dry_run:
        async with library.db.unhurried() as session:
            return {
                "notices": await messages.how_many_old(session, before=before),
                "mails": await mails.how_many_old(session, before=before),
            }
    async with library.db.begin() as tx:
        gone = {
            "notices": await messages.tidy(tx, before=before),
            "mails": await mails.tidy(tx, before=before),
        }
    step(sum(gone.values()))
    return gone


LIMITS = (
    Limit(("notices", "mails"), "deleted", lambda settings: settings.notices_keep_days, throw_away),
)
