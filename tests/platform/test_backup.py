"""A backup brings back every row, from either database into either."""

import asyncio
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import (
    JSON,
    Column,
    Float,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Uuid,
    column,
    func,
    literal,
    select,
)
from sqlalchemy import table as named

from lendery.accounts.models import key
from lendery.catalog.models import book
from lendery.contracts.base import Window
from lendery.contracts.catalog import BookSearch
from lendery.contracts.circulation import LoanRequest
from lendery.contracts.permissions import SYSTEM
from lendery.main import TABLES, wire
from lendery.platform import migrate
from lendery.platform.backup import Refused
from lendery.platform.backup.checking import check
from lendery.platform.backup.dump import Made, back_up
from lendery.platform.backup.format import Whole
from lendery.platform.backup.restore import restore
from lendery.platform.backup.values import KINDS, Shape, kind_of
from lendery.platform.schema import newest
from lendery.platform.settings import Settings
from tests.databases import KINDS as DATABASES
from tests.databases import Shelter, on_server

from .backups import (
    AWKWARD,
    CONTEXTS,
    NOW,
    PASSPHRASE,
    bring_back,
    build,
    everything,
    keep,
    sqlite_path,
    table_names,
)
from .toy import on_connection

DIRECTIONS = [(one, other) for one in DATABASES for other in DATABASES]


@dataclass(frozen=True)
class Sunday:
    """A library, its backup, and what was restored from it; only to be looked at."""

    library: str
    file: Path
    passphrase: str | None
    made: Made
    restored: str
    whole: Whole


@pytest.fixture(scope="module", params=DIRECTIONS, ids=["-to-".join(each) for each in DIRECTIONS])
def sunday(
    request: pytest.FixtureRequest, libraries: Shelter, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sunday]:
    """Across databases it is encrypted too."""
    one, other = request.param
    file = tmp_path_factory.mktemp("sunday") / "sunday.lendery"
    passphrase = None if one == other else PASSPHRASE
    with libraries.url(one) as library, libraries.url(other, empty=True) as restored:
        before = everything(library)
        made = asyncio.run(keep(library, file, passphrase=passphrase))
        assert everything(library) == before, "a backup changes nothing"
        whole = asyncio.run(bring_back(file, restored, passphrase))
        yield Sunday(library, file, passphrase, made, restored, whole)


@pytest.fixture(params=DATABASES)
def empty(request: pytest.FixtureRequest, libraries: Shelter) -> Iterator[str]:
    with libraries.url(request.param, empty=True) as url:
        yield url


def test_every_row_comes_back_on_either_database(sunday: Sunday) -> None:
    before, after = everything(sunday.library), everything(sunday.restored)
    assert set(after) == set(before)
    assert {name for name in before if before[name] != after[name]} == set()
    assert sunday.whole == sunday.made.whole
    assert {name: len(rows) for name, rows in before.items()} == {
        name: counted.rows for name, counted in sunday.whole.tables.items()
    }
    assert len(before["circulation_loan"]) > 20, "there was something to lose"
    assert AWKWARD in {row[3] for row in before["accounts_block"]}
    if sunday.library[:6] == sunday.restored[:6]:
        assert table_names(sunday.restored) == table_names(sunday.library)


def test_a_backup_of_what_was_restored_is_the_same_backup(sunday: Sunday, tmp_path: Path) -> None:
    """Checksums do not depend on the database, nor on the order in which rows were written."""
    again = asyncio.run(keep(sunday.restored, tmp_path / "again.lendery"))
    assert again.whole == sunday.whole


def test_what_is_not_in_a_backup_follows_from_the_rest(sunday: Sunday) -> None:
    """The words to find books by are made again from the books."""
    titles = [row[12] for row in everything(sunday.library)["catalog_book"]]
    words = {word for title in titles for word in title.split() if word.isalnum()}
    asked = sorted(words)[:40]
    assert asyncio.run(found(sunday.restored, asked)) == asyncio.run(found(sunday.library, asked))
    if sunday.library[:6] == sunday.restored[:6]:
        assert search_rows(sunday.restored) == search_rows(sunday.library) != []


async def found(url: str, asked: list[str]) -> list[list[UUID]]:
    wiring = wire(Settings(database_url=url))
    answers = [
        await wiring.books.search(wanted=BookSearch(q=word), window=Window(limit=100))
        for word in asked
    ]
    await wiring.close()
    listed = [sorted(each.id for each in answer.items) for answer in answers]
    assert all(listed), "each of these words stands in a title"
    return listed


def search_rows(url: str) -> list[tuple[Any, ...]]:
    names = ("number", "words") if "postgres" in url else ("rowid", "title", "author", "other")
    words = named("catalog_search", *map(column, names))
    rows: list[tuple[Any, ...]] = on_connection(
        url, lambda c: sorted(map(tuple, c.execute(select(words))))
    )
    return rows


def test_the_restored_library_goes_on_lending(
    libraries: Shelter, empty: str, tmp_path: Path
) -> None:
    """What happens next is numbered after what had happened."""
    with libraries.url("sqlite") as library:
        asyncio.run(keep(library, tmp_path / "sunday.lendery"))
    asyncio.run(bring_back(tmp_path / "sunday.lendery", empty))
    log = everything(empty)["circulation_event"]
    last = max(row[0] for row in log)
    asyncio.run(lend_one(empty))
    (added,) = [row for row in everything(empty)["circulation_event"] if row[0] > last]
    assert (added[0], added[2]) == (last + 1, "circulation.ItemCheckedOut")


async def lend_one(url: str) -> None:
    wiring = wire(Settings(database_url=url))
    async with wiring.db.read() as session:
        circulation = TABLES["circulation"].event.metadata.tables
        loan, copy = circulation["circulation_loan"], circulation["circulation_copy"]
        out = select(loan.c.copy_id).where(loan.c.returned_at.is_(None))
        free = select(copy.c.barcode, copy.c.home_branch_id).where(
            copy.c.id.not_in(out), copy.c.barcode.is_not(None), copy.c.in_transit_to.is_(None)
        )
        shelved = await session.row(free.where(copy.c.item_type == "book").limit(1))
        person = TABLES["accounts"].event.metadata.tables["accounts_user"]
        reader = await session.value(select(person.c.id).where(person.c.name == "Ann Reed"))
    request = LoanRequest(
        barcode=shelved.barcode, patron_id=reader, branch_id=shelved.home_branch_id
    )
    await wiring.loans.check_out(request=request, actor=SYSTEM, now=NOW)
    await wiring.close()


def test_a_backup_is_its_owners_alone_and_says_whose_it_is(
    libraries: Shelter, tmp_path: Path
) -> None:
    file = tmp_path / "sunday.lendery"
    with libraries.url("sqlite") as url:
        made = asyncio.run(keep(url, file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.stat().st_size == made.size
    whole = check(file)
    assert whole == made.whole
    assert whole.manifest.created_at == NOW
    assert whole.manifest.revisions == {each: f"{newest(each):04d}" for each in CONTEXTS}
    parts = [name.split("_")[0] for name in whole.tables]
    assert parts == sorted(parts), "always in the same order"
    assert [each.name for each in tmp_path.iterdir()] == ["sunday.lendery"]


def test_an_encrypted_backup_shows_nothing_of_the_library(
    libraries: Shelter, tmp_path: Path
) -> None:
    with libraries.url("sqlite") as url:
        asyncio.run(keep(url, tmp_path / "one.lendery", passphrase=PASSPHRASE))
        asyncio.run(keep(url, tmp_path / "two.lendery", passphrase=PASSPHRASE))
    one, two = ((tmp_path / name).read_bytes() for name in ("one.lendery", "two.lendery"))
    head, header, sealed = one.split(b"\n", 2)
    assert head == b"LENDERY BACKUP" and b'"scrypt"' in header and PASSPHRASE.encode() not in one
    assert not [each for each in CONTEXTS if each.encode() in one]
    assert len(set(sealed)) == 256 and two.split(b"\n", 2)[1:] != [header, sealed]
    assert two.split(b"\n", 2)[2][:64] != sealed[:64], "another salt, another key"


# -- Which tables and values -----------------------------------------------------------------------


def test_every_table_is_in_the_backup_or_is_known_to_follow(empty: str) -> None:
    migrate.run(empty, CONTEXTS)
    kept = {t.name for each in TABLES.values() for t in each.event.metadata.sorted_tables}
    own = {f"{context}_{what}" for context in CONTEXTS for what in ("schema", "version")}
    rest = {name for name in table_names(empty) - kept - own if not name.startswith("sqlite_")}
    # the words of search follow from the records; what changed last is news to nobody there
    news = [f"{context}_{what}" for context in CONTEXTS for what in ("changed", "reader")]
    follows = ("catalog_search", *news)
    assert all(name.startswith(follows) for name in rest), rest


@pytest.mark.parametrize("context", CONTEXTS)
def test_every_column_can_be_carried(context: str) -> None:
    for table in TABLES[context].event.metadata.sorted_tables:
        assert {kind_of(each) for each in table.c} <= set(KINDS)
        assert table.primary_key.columns, f"{table.name} has no key to order its rows by"


def test_a_column_that_cannot_be_carried_is_named() -> None:
    strange = Table("strange", MetaData(), Column("id", Uuid, primary_key=True), Column("x", JSON))
    with pytest.raises(TypeError, match=r"strange\.x"):
        Shape.of(strange, {"id", "x"})


VALUES = [
    ("uuid", UUID(int=0), '"00000000-0000-0000-0000-000000000000"'),
    ("uuid", UUID(int=2**128 - 1), '"ffffffff-ffff-ffff-ffff-ffffffffffff"'),
    ("instant", NOW, '"2026-03-01T09:30:00.000000+00:00"'),
    (
        "instant",
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        '"9999-12-31T23:59:59.999999+00:00"',
    ),
    ("instant", datetime(1, 1, 1, tzinfo=UTC), '"0001-01-01T00:00:00.000000+00:00"'),
    ("day", date(2024, 2, 29), '"2024-02-29"'),
    ("json", '{"a": [1, null]}', r'"{\"a\": [1, null]}"'),
    ("json", "null", '"null"'),
    ("text", "", '""'),
    ("text", "null", '"null"'),
    ("text", AWKWARD, None),
    ("whole", -(2**63), "-9223372036854775808"),
    ("whole", 2**63 - 1, "9223372036854775807"),
    ("truth", True, "true"),
    ("truth", False, "false"),
    ("real", 0.1 + 0.2, "0.30000000000000004"),
    ("decimal", Decimal("12.340"), '"12.340"'),
    ("bytes", bytes(range(256)), None),
]


@pytest.mark.parametrize(("kind", "value", "text"), VALUES)
def test_every_value_is_written_once_and_for_all(kind: str, value: Any, text: str | None) -> None:
    """These texts are format 1. Another program, years on, reads them."""
    shape = Shape("notes", (("at", "text"), ("value", kind), ("none", kind)), ("at",))
    (line,) = shape.lines([("a", value, None)])
    assert b"\n" not in line
    if text is not None:
        assert line.decode() == f'["a",{text},null]'
    assert shape.row(line) == {"at": "a", "value": value, "none": None}


@pytest.mark.parametrize(
    ("kind", "type_"),
    [("real", Float()), ("decimal", Numeric()), ("bytes", LargeBinary()), ("text", String(9))],
)
def test_kinds_that_no_table_needs_yet_are_ready(kind: str, type_: Any) -> None:
    assert kind_of(Column("x", type_)) == kind


def test_instants_of_other_zones_are_written_in_utc() -> None:
    shape = Shape("notes", (("at", "instant"),), ("at",))
    in_berlin = NOW.astimezone(timezone(timedelta(hours=1)))
    assert in_berlin.hour == 10 and shape.lines([(in_berlin,)]) == shape.lines([(NOW,)])
    forever = datetime.max  # as asyncpg reads PostgreSQL's infinity
    assert shape.lines([(forever,)]) == [b'["9999-12-31T23:59:59.999999+00:00"]']


def test_the_order_of_texts_does_not_depend_on_the_servers_locale(
    libraries: Shelter, tmp_path: Path
) -> None:
    """In English a comes before B; by code point, as in every backup, after it."""
    names = ["a", "B", "-a", "_A", "Z", "z", "\u00e9"]
    keys = [
        {"kid": name, "algorithm": "x", "sealed": "", "public_jwk": {}, "created_at": NOW}
        for name in names
    ]
    with libraries.url("sqlite") as library, libraries.url("postgres", empty=True) as other:
        retired = [{**each, "retired_at": NOW} for each in keys]
        on_connection(library, lambda c: (c.execute(key.insert(), retired), c.commit()))
        made = asyncio.run(keep(library, tmp_path / "sunday.lendery"))
        name = other.rpartition("/")[2]
        on_server(f'DROP DATABASE "{name}"')
        try:
            on_server(
                f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8' "
                "LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C'"
            )
        except asyncpg.FeatureNotSupportedError:
            pytest.skip("this PostgreSQL has no ICU")
        in_english = on_connection(other, lambda c: c.scalar(select(literal("a") < literal("B"))))
        assert in_english, "else this shows nothing"
        asyncio.run(bring_back(tmp_path / "sunday.lendery", other))
        assert asyncio.run(keep(other, tmp_path / "again.lendery")).whole == made.whole


# -- Older schemas ---------------------------------------------------------------------------------


def test_a_library_is_backed_up_before_it_is_migrated(empty: str, tmp_path: Path) -> None:
    """The backup of the old tables becomes, restored, what migrating them makes."""
    build(empty)
    for context in CONTEXTS:
        migrate.downgrade(empty, context, "0001")
    file = tmp_path / "before the upgrade.lendery"
    made = asyncio.run(keep(empty, file))
    assert made.whole.manifest.revisions == dict.fromkeys(CONTEXTS, "0001")
    migrate.run(empty, CONTEXTS)
    for name, target in (("fresh", tmp_path / "fresh.db"), ("migrated", tmp_path / "made.db")):
        url = f"sqlite:///{target}"
        if name == "migrated":
            migrate.run(url, CONTEXTS)  # its tables are newer than the backup
        asyncio.run(bring_back(file, url))
        assert everything(url) == everything(empty)
        newest_here = {context: f"{newest(context):04d}" for context in CONTEXTS}
        again = asyncio.run(keep(url, tmp_path / f"{name}.lendery"))
        assert again.whole.manifest.revisions == newest_here


# -- Where it may be restored ----------------------------------------------------------------------


def test_fresh_tables_in_which_nobody_did_anything_are_an_empty_place(
    libraries: Shelter, empty: str, tmp_path: Path
) -> None:
    with libraries.url("sqlite") as library:
        asyncio.run(keep(library, tmp_path / "sunday.lendery"))
        migrate.run(empty, CONTEXTS)
        asyncio.run(run_its_jobs(empty))
        asyncio.run(bring_back(tmp_path / "sunday.lendery", empty))
        assert everything(empty) == everything(library)


async def run_its_jobs(url: str) -> None:
    """As when it was served for a moment."""
    wiring = wire(Settings(database_url=url))
    desk = wiring.background.slots
    assert all([await desk.run(work) for work in desk.works])
    await wiring.close()


def test_a_missing_folder_is_made(libraries: Shelter, tmp_path: Path) -> None:
    with libraries.url("sqlite") as library:
        asyncio.run(keep(library, tmp_path / "sunday.lendery"))
        url = f"sqlite:///{tmp_path}/new/var/lendery.db"
        asyncio.run(bring_back(tmp_path / "sunday.lendery", url))
        assert everything(url) == everything(library)
    path = sqlite_path(url)
    assert path and [each.name for each in path.parent.iterdir()] == ["lendery.db"]


def test_a_library_of_one_part_has_backups_of_its_own(libraries: Shelter, tmp_path: Path) -> None:
    async def of_the_catalog(url: str) -> Any:
        chosen = Settings(database_url=url, contexts=frozenset({"catalog"}))
        wiring = wire(chosen)
        made = await back_up(wiring.db, tmp_path / "books.lendery", now=NOW)
        await wiring.close()
        return made

    with libraries.url("sqlite") as library:
        made = asyncio.run(of_the_catalog(library))
        books = everything(library)["catalog_book"]
    assert set(made.whole.manifest.revisions) == {"catalog"}
    target = tmp_path / "books.db"
    into: dict[str, Any] = {"url": f"sqlite:///{target}", "into": target}
    with pytest.raises(Refused, match="holds catalog; here runs accounts, catalog, circulation"):
        asyncio.run(restore(tmp_path / "books.lendery", contexts=list(TABLES.values()), **into))
    assert not target.exists()
    asyncio.run(restore(tmp_path / "books.lendery", contexts=[TABLES["catalog"]], **into))
    assert everything(into["url"])["catalog_book"] == books
    assert on_connection(into["url"], lambda c: c.scalar(select(func.count()).select_from(book)))
