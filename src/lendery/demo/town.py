"""What the demo library is made of, and what everybody at work in it shares."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from lendery.contracts.permissions import Actor
from lendery.demo.agenda import Agenda
from lendery.demo.hours import Hours
from lendery.demo.people import Reader
from lendery.demo.plan import PlannedCopy
from lendery.demo.stock import Stock
from lendery.demo.titles import Title
from lendery.main import Wiring


@dataclass
class Built:
    """What stands at the end. `missed` are planned loans of what was not on the shelf."""

    books: int = 0
    copies: int = 0
    readers: int = 0
    loans: int = 0
    renewals: int = 0
    returns: int = 0
    refused: int = 0
    owing: int = 0  # of those refused, the loans refused because of fines
    missed: int = 0
    holds: int = 0
    collected: int = 0
    cancelled: int = 0
    expired: int = 0
    fines: int = 0
    payments: int = 0
    forgiven: int = 0  # charges waived or cancelled
    reviews: int = 0


@dataclass(frozen=True)
class Enrolled:
    reader: Reader
    id: UUID


@dataclass(frozen=True)
class Shelved:
    planned: PlannedCopy
    id: UUID
    barcode: str


@dataclass(frozen=True, kw_only=True)
class Town:
    """Titles, copies, readers and branches are named by their places in these lists.

    `till` is the member of staff who takes the money, `ann` the reader whose account is shown.
    """

    wiring: Wiring
    titles: Sequence[Title]
    books: Sequence[UUID]
    shelved: Sequence[Shelved]
    readers: Sequence[Enrolled]
    branches: Sequence[UUID]
    till: Actor
    ann: int
    seed: int

    def title_of(self, copy: int) -> int:
        return self.shelved[copy].planned.title_index

    def home_of(self, reader: int) -> int:
        return self.readers[reader].reader.home_branch


@dataclass(frozen=True, kw_only=True)
class Work:
    """The two years as they go by. `at_home` says who has which title."""

    town: Town
    agenda: Agenda
    hours: Hours
    stock: Stock
    built: Built
    at_home: set[tuple[int, int]] = field(default_factory=set)
