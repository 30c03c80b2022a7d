"""What a person owes, with the titles it is owed for."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from lendery.contracts.base import Money, Window
from lendery.contracts.circulation import Account
from lendery.contracts.permissions import Actor
from lendery.web import amounts
from lendery.web.ports import Ports

LINES = 20  # of the ledger, on one page


@dataclass(frozen=True)
class Owing:
    """An account as its pages tell it."""

    account: Account
    titles: dict[UUID, str] = field(default_factory=dict)

    def title(self, book_id: UUID | None) -> str:
        return self.titles.get(book_id, "") if book_id else ""

    @property
    def accruing(self) -> Money:
        """What all late loans together cost by now. Not owed yet."""
        parts = [each.amount for each in self.account.accruing]
        return amounts.total(parts, self.account.balance.currency)

    def of(self, fine_ids: list[UUID]) -> Money:
        """What is still owed of these fines."""
        open_fines = [fine for fine in self.account.fines if fine.id in fine_ids]
        parts = [fine.outstanding for fine in open_fines]
        return amounts.total(parts, self.account.balance.currency)


async def owing(
    ports: Ports, patron_id: UUID, *, cursor: str | None, actor: Actor, now: datetime
) -> Owing:
    window = Window(limit=LINES, after=cursor)
    account = await ports.fees.account(patron_id=patron_id, window=window, actor=actor, now=now)
    ids = {fine.book_id for fine in account.fines if fine.book_id}
    ids |= {each.book_id for each in account.accruing}
    books = await ports.books.by_ids(ids=list(ids)) if ids else []
    return Owing(account, {book.id: book.title for book in books})
