"""Import and export of catalogue records, as long jobs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Protocol
from uuid import UUID

from pydantic import Base64Bytes, Field, StringConstraints

from lendery.contracts.base import Input, NotFound, Page, Problem, Value, Window
from lendery.contracts.jobs import JobState
from lendery.contracts.permissions import Actor

FormatName = Literal["marc", "marcxml", "marcjson", "csv", "openlibrary", "lendery"]
Writable = Literal["marc", "marcxml", "marcjson", "csv", "lendery"]
MatchRule = Literal["control-number", "isbn", "title-author", "title-author-year"]
OnMatch = Literal["add", "overlay", "skip"]
Severity = Literal["rejected", "warning", "match"]
Cell = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class ImportOptions(Input):
    """How a file is taken. What is left out is sniffed, or the most careful choice."""

    format: FormatName | None = Field(None, description="Left out: by what the file looks like.")
    profile: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        None, description="How one supplier's files are read."
    )
    columns: dict[Cell, Cell] = Field(
        {}, max_length=40, description="CSV: our field -> the column's name."
    )
    match: list[MatchRule] = Field(
        ["control-number", "isbn"],
        max_length=4,
        description="In order; the first rule that finds a book decides.",
    )
    on_match: OnMatch = Field("skip", description="What happens to a record that is here already.")
    dry_run: bool = Field(False, description="Report, and change nothing.")
    branch_id: UUID | None = Field(None, description="Where copies stand that name no branch.")


class ImportReport(Value):
    """`read` is always `added + overlaid + skipped + rejected`."""

    id: UUID
    name: str
    state: JobState
    progress: float
    options: ImportOptions
    read: int
    added: int
    overlaid: int
    skipped: int
    rejected: int
    copies: int
    warnings: int
    error: str | None
    undo: UUID | None = Field(description="The job that undoes it, once somebody asked for that.")
    undone: bool
    file_kept: bool = Field(description="After a dry run: the file is here to be imported.")
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class ImportNote(Value):
    """What there is to say of one record: its place in the file, and why."""

    severity: Severity
    record: int
    at_byte: int
    control_number: str | None
    title: str | None
    says: str


class ExportOptions(Input):
    format: Writable = "marc"


class ExportReport(Value):
    id: UUID
    state: JobState
    progress: float
    format: Writable
    written: int
    left_out: int = Field(description="Records that do not fit into this format.")
    error: str | None
    file_kept: bool
    created_at: datetime
    ended_at: datetime | None


class Piece(Value):
    """Some of a file; `last` when there is no more."""

    data: Base64Bytes
    last: bool


class NoSuchImport(NotFound):
    status = 404


class NoSuchExport(NotFound):
    status = 404


class NotReady(Problem):
    """The job this is about has not come to its end, or its file is gone."""

    status = 409


class ImportInTheWay(Problem):
    """Something of the import was lent or edited since; `standing` names what."""

    status = 409


class UploadRefused(Problem):
    """This file is not taken: too large, empty, or not what it says it is."""

    status = 422


class Imports(Protocol):
    async def begin(self, *, actor: Actor, now: datetime) -> UUID:
        """Room for a file that is about to come."""
        ...

    async def take(
        self, *, upload_id: UUID, at: int, data: Base64Bytes, actor: Actor, now: datetime
    ) -> int:
        """The next piece, at this byte of the file; returns how many bytes there are now."""
        ...

    async def drop(self, *, upload_id: UUID, actor: Actor, now: datetime) -> None:
        """The file will not come whole."""
        ...

    async def start(
        self, *, upload_id: UUID, name: str, options: ImportOptions, actor: Actor, now: datetime
    ) -> ImportReport:
        """Asks for the import of a file that came whole. Raises UploadRefused."""
        ...

    async def proceed(
        self, *, import_id: UUID, options: ImportOptions, actor: Actor, now: datetime
    ) -> ImportReport:
        """After a dry run: the same file, in earnest or otherwise than before."""
        ...

    async def get(self, *, import_id: UUID, actor: Actor) -> ImportReport: ...
    async def find(self, *, window: Window, actor: Actor) -> Page[ImportReport]: ...
    async def notes(
        self, *, import_id: UUID, window: Window, actor: Actor, severity: Severity | None = None
    ) -> Page[ImportNote]: ...
    async def rejects(
        self, *, import_id: UUID, after: int, actor: Actor
    ) -> tuple[Sequence[Base64Bytes], int | None]:
        """The bytes of rejected records, some at a time, and where to go on."""
        ...

    async def undo(self, *, import_id: UUID, actor: Actor, now: datetime) -> ImportReport:
        """Raises ImportInTheWay where something was lent or edited since."""
        ...


class Exports(Protocol):
    async def start(
        self, *, options: ExportOptions, actor: Actor, now: datetime
    ) -> ExportReport: ...
    async def get(self, *, export_id: UUID, actor: Actor) -> ExportReport: ...
    async def piece(self, *, export_id: UUID, at: int, actor: Actor) -> Piece: ...
