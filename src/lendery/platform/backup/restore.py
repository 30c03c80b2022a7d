"""A file into a library, verified before it counts."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from lendery.platform import migrate
from lendery.platform.backup import Refused, load
from lendery.platform.backup.checking import check, reader_of
from lendery.platform.backup.format import CUT, Manifest, Whole
from lendery.platform.backup.place import Place
from lendery.platform.backup.progress import Progress, Quiet
from lendery.platform.db import Database, Tx
from lendery.platform.db.log import ContextTables
from lendery.platform.schema import newest
from lendery.platform.threads import to_the_end

Derive = Callable[[Tx], Awaitable[None]]


async def restore(
    file: Path,
    *,
    url: str,
    into: Path | None,
    contexts: Sequence[ContextTables],
    derive: Iterable[Derive] = (),
    passphrase: str | None = None,
    progress: Progress | None = None,
) -> Whole:
    """Fills an empty place, and compares every row with the backup before it counts.

    `into`: the file of an SQLite database, None for PostgreSQL. `derive` makes again what is not
    in a backup because it follows from the rest. Raises Refused; then nothing was restored.
    PostgreSQL may be left with fresh, empty tables.
    """
    progress = progress or Quiet()
    whole = await to_the_end(check, file, passphrase, progress)
    _fits(whole.manifest, contexts)
    place = Place(url, into, contexts)
    if objection := await place.objection():
        raise Refused(f"{objection} Nothing was changed.")
    async with place.unfinished() as unfinished:
        filling = Filling(file, passphrase, whole, unfinished, place, list(derive), progress)
        await filling.fill()
    return whole


def _fits(manifest: Manifest, contexts: Sequence[ContextTables]) -> None:
    here = {each.context for each in contexts}
    for context, revision in manifest.revisions.items():
        known = newest(context) if context in here else int(revision)
        if int(revision) > known:
            raise Refused(
                f"This backup was made by a newer Lendery ({manifest.program}): its {context} "
                f"tables are at revision {revision}, this program knows {known:04d}. "
                "Nothing was changed. Update Lendery."
            )
    if set(manifest.revisions) != here:
        raise Refused(
            f"This backup holds {', '.join(sorted(manifest.revisions))}; here runs "
            f"{', '.join(sorted(here))} (LENDERY_CONTEXTS). Nothing was changed."
        )


NOT_OF_NOW = (
    "The old tables were loaded and verified, but could not be brought up to date: {why}. "
    "A PostgreSQL database now holds them; begin again with a new one."
)


@contextmanager
def _refusing(says: str) -> Iterator[None]:
    """Whatever goes wrong, the transaction is undone and a sentence says why."""
    try:
        yield
    except Refused:
        raise
    except Exception as error:
        why = str(error).split("\n")[0][:200] or type(error).__name__
        raise Refused(says.format(why=why)) from error


@dataclass(frozen=True)
class Filling:
    """The way of a backup into new tables."""

    file: Path
    passphrase: str | None
    whole: Whole
    url: str
    place: Place
    derive: Sequence[Derive]
    progress: Progress

    async def fill(self) -> None:
        """The tables of then, their rows, and on to the tables of now."""
        then = self.whole.manifest.revisions
        db = Database(self.url, self.place.contexts, size=1, durable=False)
        try:
            with _refusing("The backup could not be loaded: {why}. Nothing was restored."):
                await to_the_end(migrate.exactly, self.url, then)
                async with db.begin() as tx:
                    await self._load(tx)
                    if self._is_of_now:
                        await self._derive(tx)
            if not self._is_of_now:
                with _refusing(NOT_OF_NOW):
                    await to_the_end(migrate.run, self.url, list(then))
                    async with db.begin() as tx:
                        await self._derive(tx)
            with suppress(TimeoutError):  # PostgreSQL tidies up by itself, too
                await db.tidy()
        finally:
            await db.close()

    @property
    def _is_of_now(self) -> bool:
        then = self.whole.manifest.revisions
        return all(int(revision) == newest(context) for context, revision in then.items())

    async def _load(self, tx: Tx) -> None:
        if objection := await self.place.holds(tx):
            raise Refused(f"{objection} Nothing was changed.")
        tables = [t for each in self.place.contexts for t in each.event.metadata.sorted_tables]
        if self._is_of_now and {table.name for table in tables} != set(self.whole.tables):
            raise Refused(CUT)
        await load.clear(tx, tables)
        reader = reader_of(self.file, self.passphrase, Quiet())
        self.progress.start("Loading", self.whole.rows)
        shapes = await load.load(tx, reader, self.progress)
        if reader.whole != self.whole:
            raise Refused("The backup was changed while it was read. Nothing was restored.")
        self.progress.start("Verifying", self.whole.rows)
        await load.compare(tx, self.whole, shapes, self.progress)

    async def _derive(self, tx: Tx) -> None:
        for make in self.derive:
            await make(tx)
