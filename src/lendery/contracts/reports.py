"""What reports offers: what a library counts of itself, without anybody's name."""

from datetime import date, datetime
from typing import Annotated, Literal, Protocol
from uuid import UUID

from pydantic import Field

from lendery.contracts.base import NotFound, Page, Problem, Value, Window
from lendery.contracts.permissions import Actor

ReportName = Literal[
    "loans-by-day",
    "loans-by-branch",
    "loans-by-category",
    "loans-by-subject",
    "top-titles",
    "turnover-by-branch",
    "turnover-by-item-type",
    "hold-ratios",
    "overdue",
    "money",
    "money-by-kind",
    "dead-stock",
    "collection-age",
]
Form = Literal["json", "csv", "xlsx", "pdf", "svg"]
Per = Literal["year", "decade"]
ColumnKind = Literal["text", "day", "count", "ratio", "money", "id"]
Cell = str | int | float | None
Parameter = Literal["from", "to", "branch_id", "threshold", "months", "per"]


class Column(Value):
    """One column of a report. `money` is in minor units of the row's `currency`.

    `says` is for people, `sortable` whether `sort` may name it.
    """

    key: str
    says: str
    kind: ColumnKind
    sortable: bool = True


class ReportInfo(Value):
    """What a report tells, and what it can be asked with. `chart`: there is a drawing of it."""

    name: ReportName
    title: str
    says: str
    parameters: tuple[Parameter, ...]
    columns: tuple[Column, ...]
    sort: str = Field(description="The order when none is asked for; `-` before it: descending.")
    chart: bool


class Asked(Value):
    """Which report, of what. Days are local days of the branch where something happened.

    Left out: `until` is today, `since` 29 days before it. `threshold` is of `hold-ratios`
    (waiting holds that one copy may have), `months` of `dead-stock`, `per` of `collection-age`.
    """

    name: str
    since: date | None = None
    until: date | None = None
    branch_id: UUID | None = None
    sort: str | None = None
    threshold: Annotated[int, Field(ge=1, le=1_000)] = 3
    months: Annotated[int, Field(ge=1, le=600)] = 24
    per: Per = "decade"


class Report(Page[dict[str, Cell]]):
    """The rows of a report: each has the `columns` by their keys.

    `since` and `until` are null where the report has no period; `as_of` is when it was made.
    """

    name: ReportName
    title: str
    says: str
    since: date | None
    until: date | None
    branch_id: UUID | None
    branch: str | None
    as_of: datetime
    columns: tuple[Column, ...]


class NoSuchReport(NotFound):
    status = 404


class ReportTooLong(Problem):
    """More rows than this form may have: ask for a shorter period, or for one branch."""

    status = 422


class Reports(Protocol):
    """Counts and lists, fed by what the others announce. They trail by moments."""

    async def listed(self, *, actor: Actor) -> list[ReportInfo]: ...
    async def read(
        self, *, asked: Asked, window: Window, actor: Actor, as_of: datetime
    ) -> Report: ...
