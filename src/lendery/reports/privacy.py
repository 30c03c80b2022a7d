"""What reports holds about a person: which reports they get by e-mail."""

from lendery.platform.personal import Personal, Place
from lendery.reports.models import subscription

PERSONAL = Personal(
    places=(
        Place(
            "report subscriptions",
            subscription.c.owner_id,
            "erased",
            hidden=frozenset({"owner_id"}),
        ),
    ),
)
