"""Is the log untouched? Whoever changed the past is found out, and what was changed is named."""

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, update
from typer.testing import CliRunner

from lendery.cli import app
from lendery.contracts.base import new_id
from lendery.main import TABLES as REAL
from lendery.platform import audit as auditing
from lendery.platform import chain, migrate
from lendery.platform.audit import Audit, Head
from lendery.platform.chain import GENESIS, Seal, fingerprints
from lendery.platform.db import Database
from lendery.platform.events import Relay, outboxes

from .tampering import (
    ANN,
    BEN,
    FACTS,
    LATER,
    audited,
    behind_our_back,
    deliver,
    event,
    log,
    one_seal,
    put_back,
    put_in,
    seal,
    seals,
    three_seals,
)
from .test_events import Sent, rows
from .toy import ACCOUNTS, NOW, TABLES, announce, changed


def new_seal(**but: Any) -> Any:
    """One that is whole in itself."""
    made = Seal(no=9, prev=GENESIS, at=chain.moment(NOW), late=False, contents=f"9 {'f' * 64}\n")
    made = replace(made, **{name: but[name] for name in but if name != "hash"})
    return insert(seal).values(
        no=made.no,
        prev=made.prev,
        hash=made.hash,
        events=1,
        at=NOW,
        late=made.late,
        contents=made.contents,
    )


NAME = r"\(accounts.PatronChanged, 2026-03-01.09:3.\)"
CHANGED_4 = [rf"event 4 {NAME} was changed after it was sealed: seal 2"]
REMOVED_4 = r"event 4 was removed from seal 2, of \d{4}-\d\d-\d\dT\d\d:\d\d"
TAMPERING: dict[str, tuple[list[Any], list[str]]] = {
    "an event's body": ([event(4).values(body={"patron_id": str(ANN)})], CHANGED_4),
    "an event's name": (
        [event(4).values(name="accounts.PatronRemoved")],
        [r"event 4 \(accounts.PatronRemoved, .*\) was changed after it was sealed: seal 2"],
    ),
    "an event's time": (
        [event(4).values(at=LATER)],
        [r"event 4 \(accounts.PatronChanged, 2026-06-05.12:00\) was changed .*: seal 2"],
    ),
    "whom an event is about": ([event(4).values(aggregate=ANN)], CHANGED_4),
    "an event's id": ([event(4).values(id=new_id())], CHANGED_4),
    "an event's number": (
        [event(4).values(seq=44)],
        [rf"event 44 {NAME} was put into seal 2 afterwards", REMOVED_4],
    ),
    "two events changed places": (
        [event(3).values(seq=-1), event(4).values(seq=3), event(-1).values(seq=4)],
        [rf"event 3 {NAME} was changed after it was sealed: seal 2", *CHANGED_4],
    ),
    "an event removed": ([delete(log).where(log.c.seq == 4)], [REMOVED_4]),
    "the last event removed": (
        [delete(log).where(log.c.seq == 6)],
        ["event 6 was removed from seal 3, of .*"],
    ),
    "an event taken out of its seal": ([event(4).values(seal_no=None)], [REMOVED_4]),
    "an event moved to another seal": (
        [event(4).values(seal_no=3)],
        [REMOVED_4, rf"event 4 {NAME} was put into seal 3 afterwards"],
    ),
    "an event put into a seal": (
        [put_in(seq=70, seal_no=2)],
        [rf"event 70 {NAME} was put into seal 2 afterwards"],
    ),
    "an event put in before the first": (
        [put_in(seq=-7, seal_no=0)],
        [rf"event -7 {NAME} was put in: it names seal 0"],
    ),
    "an event of a seal that never was": (
        [put_in(seq=70, seal_no=4), put_in(seq=71, seal_no=5)],
        ["the end was cut off: 2 events, the first of them 70, name seals that are gone"],
    ),
    "the first seal removed": (
        [delete(seal).where(seal.c.no == 1)],
        ["seal 1 was removed; 2 events still name it"],
    ),
    "a seal removed with its events": (
        [delete(seal).where(seal.c.no == 2), delete(log).where(log.c.seal_no == 2)],
        ["seal 2 was removed"],
    ),
    "two seals removed": (
        [delete(seal).where(seal.c.no < 3), delete(log).where(log.c.seq == 1)],
        ["seals 1 to 2 were removed; 3 events still name them"],
    ),
    "the last seal removed": (
        [delete(seal).where(seal.c.no == 3)],
        ["the end was cut off: 2 events, the first of them 5, name seals that are gone"],
    ),
    "every seal removed": (
        [delete(seal)],
        ["the end was cut off: 6 events, the first of them 1, name seals that are gone"],
    ),
    "a seal put in after a gap": (
        [new_seal()],
        ["seals 4 to 8 were removed", "event 9 was removed from seal 9, of 2026-03-01T09:30"],
    ),
    "a seal put in before the first": (
        [new_seal(no=0)],
        ["seal 0 was put in before the first"],
    ),
    "a seal put in at the end": (
        [new_seal(no=4)],
        [
            "seal 4 does not follow seal 3: one was written anew",
            "event 9 was removed from seal 4, of 2026-03-01T09:30",
        ],
    ),
    "a seal's hash": ([one_seal(2).values(hash="f" * 64)], ["seal 2 was changed"]),
    "the hash a seal begins with": ([one_seal(2).values(prev="f" * 64)], ["seal 2 was changed"]),
    "when a seal was set": ([one_seal(2).values(at=LATER)], ["seal 2 was changed"]),
    "that a seal was late": ([one_seal(2).values(late=True)], ["seal 2 was changed"]),
    "how many events a seal has": ([one_seal(2).values(events=3)], ["seal 2 was changed"]),
    "what a seal holds": (
        [one_seal(2).values(contents=f"3 {'f' * 64}\nnonsense\n")],
        [
            "seal 2 was changed",
            rf"event 3 {NAME} was changed after it was sealed: seal 2",
            rf"event 4 {NAME} was put into seal 2 afterwards",
        ],
    ),
}


async def test_whoever_changes_the_past_is_found_out_and_what_was_changed_is_named(
    db: Database,
) -> None:
    await three_seals(db)
    kept = await rows(db), await seals(db)
    for what, (changes, says) in TAMPERING.items():
        await behind_our_back(db, *changes)
        report = await audited(db)
        assert (report.intact, report.found) == (False, len(says)), f"{what}: {report.named}"
        for found, expected in zip(sorted(report.named), sorted(says), strict=True):
            assert re.fullmatch(expected, found), f"{what}: {found!r} is not like {expected!r}"
        await put_back(db, *kept)
        assert (await audited(db)).named == [], f"{what}: as it was again"


async def rewritten(db: Database, first: int, contents: Callable[[Any], str]) -> None:
    """As somebody does who knows how the chain is made: all seals from one on, made again."""
    prev, changes = None, []
    for row in await seals(db):
        if row.no >= first:
            made = Seal(row.no, prev or row.prev, chain.moment(row.at), row.late, contents(row))
            changes.append(
                one_seal(row.no).values(prev=made.prev, contents=made.contents, hash=made.hash)
            )
            prev = made.hash
    await behind_our_back(db, *changes)


async def test_one_seal_written_anew_does_not_fit_the_next(db: Database) -> None:
    await three_seals(db)
    _, two, _ = await seals(db)
    await behind_our_back(db, event(4).values(body={"patron_id": str(ANN)}))
    async with db.read() as session:
        made = await fingerprints([r for r in await session.rows(FACTS) if r.seq in (3, 4)])
    lines = "".join(f"{seq} {mark}\n" for seq, mark in made.items())
    again = Seal(2, two.prev, chain.moment(two.at), False, lines)
    await behind_our_back(db, one_seal(2).values(contents=lines, hash=again.hash))
    report = await audited(db)
    assert report.named == ["seal 3 does not follow seal 2: one was written anew"]
    await behind_our_back(db, one_seal(3).values(prev=again.hash))
    assert (await audited(db)).named == ["seal 3 was changed"]


async def test_only_a_noted_head_tells_of_a_chain_written_anew(db: Database) -> None:
    await three_seals(db)
    noted = (await audited(db)).head
    assert noted is not None and (await audited(db, noted)).intact
    await behind_our_back(db, delete(log).where(log.c.seq == 4))

    def without(row: Any) -> str:
        return "".join(line + "\n" for line in row.contents.splitlines() if line[:2] != "4 ")

    await rewritten(db, 2, without)
    await behind_our_back(db, one_seal(2).values(events=1))
    assert (await audited(db)).intact, "that is why a head is noted elsewhere"
    report = await audited(db, noted)
    assert report.named == ["seal 3 is not the one that was noted: the log was written anew"]


async def test_only_a_noted_head_tells_of_an_end_cut_off(db: Database) -> None:
    await three_seals(db)
    first, _, last = [Head("accounts", row.no, row.hash) for row in await seals(db)]
    await behind_our_back(
        db, delete(log).where(log.c.seal_no > 1), delete(seal).where(seal.c.no > 1)
    )
    assert (await audited(db)).intact and (await audited(db, first)).intact
    assert (await audited(db, first, last)).named == [
        "the end was cut off: the chain ends with seal 1, seal 3, which was noted, is gone"
    ]
    await deliver(db, changed(ANN))
    await deliver(db, changed(ANN))
    assert (await audited(db, last)).named == [
        "seal 3 is not the one that was noted: the log was written anew"
    ]


async def test_a_head_noted_before_more_was_lent_still_fits(db: Database) -> None:
    noted = []
    for _ in range(3):
        await deliver(db, changed(ANN))
        head = (await audited(db)).head
        assert head is not None
        noted.append(head)
        assert Head.read(str(head)) == head
    assert (await audited(db, *noted)).intact
    other = Head("circulation", 3, "f" * 64)
    assert (await audited(db, other)).intact, "it is another log's"
    for wrong in ("", "accounts:3", "accounts:x:" + "f" * 64, "accounts:3:ff"):
        with pytest.raises(ValueError):
            Head.read(wrong)


async def test_a_log_without_a_seal_is_intact_and_has_no_head(db: Database) -> None:
    assert (await audited(db)).intact
    await announce(db, changed(ANN))
    report = await audited(db)
    assert (report.intact, report.head, report.events, report.waiting) == (True, None, 0, 1)
    await behind_our_back(db, put_in(seal_no=0, seq=7))
    assert (await audited(db)).found == 1


async def test_of_a_log_in_ruins_twenty_findings_are_told_and_the_rest_counted(
    db: Database,
) -> None:
    await deliver(db, *[changed(new_id()) for _ in range(30)])
    await behind_our_back(db, update(log).values(body={}))
    report = await audited(db)
    assert (report.found, len(report.named)) == (30, auditing.NAMED)


async def test_a_long_log_is_read_page_by_page(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "EVENTS", 3)
    monkeypatch.setattr(auditing, "SEALS", 2)
    sizes = [1, 3, 4, 1, 1, 6, 7, 3, 2]
    for size in sizes:
        await deliver(db, *[changed(new_id()) for _ in range(size)])
    told: list[int] = []
    report = await Audit(ACCOUNTS).run(db, advance=told.append)
    assert told == sizes
    assert (report.intact, report.events, report.seals) == (True, sum(sizes), len(sizes))
    assert await Audit(ACCOUNTS).size(db) == sum(sizes)
    await behind_our_back(db, update(log).values(name="accounts.PatronRemoved"))
    assert (await audited(db)).found == sum(sizes)


async def test_it_is_checked_while_the_relay_goes_on_sealing(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "EVENTS", 2)
    monkeypatch.setattr(auditing, "SEALS", 1)
    await three_seals(db)
    other, check = Database(db.url, TABLES), Audit(ACCOUNTS)
    really = check._seal

    async def meanwhile(row: Any) -> None:
        await deliver(other, changed(new_id()), changed(new_id()))
        await really(row)

    monkeypatch.setattr(check, "_seal", meanwhile)
    report = await check.run(db)
    assert (report.named, report.seals, report.events) == ([], 3, 6)
    assert len(await seals(db)) == 6
    await other.close()


# --- the command ------------------------------------------------------------------------------


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """All three contexts in a file, with two events each in accounts and in circulation."""
    url = f"sqlite:///{tmp_path}/library.db"
    monkeypatch.setenv("LENDERY_DATABASE_URL", url)
    migrate.run(url, list(REAL))

    async def lend() -> None:
        db = Database(url, REAL.values())
        await announce(db, changed(ANN), changed(BEN))
        await Relay(db, Sent(), outboxes(REAL.values())).drain()
        await announce(db, changed(ANN))
        await db.close()

    asyncio.run(lend())
    yield url


def verify(*options: str) -> tuple[int, list[str]]:
    done = CliRunner().invoke(app, ["events", "verify", *options])
    return done.exit_code, [line for line in done.stdout.splitlines() if line]


def test_the_command_tells_of_each_log_and_of_the_head_to_note(library: str) -> None:
    code, says = verify()
    assert (code, says[0], says[2:]) == (
        0,
        "accounts: intact: 2 events in 1 seal, 1 not yet sealed (0 parked)",
        [
            "catalog: intact: 0 events in 0 seals, 0 not yet sealed (0 parked)",
            "circulation: intact: 0 events in 0 seals, 0 not yet sealed (0 parked)",
            "notices: intact: 0 events in 0 seals, 0 not yet sealed (0 parked)",
            "reports: intact: 0 events in 0 seals, 0 not yet sealed (0 parked)",
            "reviews: intact: 0 events in 0 seals, 0 not yet sealed (0 parked)",
        ],
    )
    mark, head = says[1].split()
    assert mark == "head" and Head.read(head).no == 1
    assert verify("--against", head)[0] == 0
    code, says = verify("--against", head.replace(":1:", ":7:"))
    assert code == 1
    assert says[:2] == [
        "accounts: NOT INTACT, 1 finding: 2 events in 1 seal, 1 not yet sealed (0 parked)",
        "  the end was cut off: the chain ends with seal 1, seal 7, which was noted, is gone",
    ]


def test_the_command_ends_with_one_when_the_log_was_changed(library: str) -> None:
    db = Database(library)
    asyncio.run(behind_our_back(db, event(2).values(body={})))
    code, says = verify()
    assert code == 1
    assert says[0].startswith("accounts: NOT INTACT, 1 finding: ")
    assert "event 2 (accounts.PatronChanged, 2026-03-01T09:30) was changed" in says[1]
    assert says[3].startswith("catalog: intact: ")


def test_the_command_ends_with_two_when_it_cannot_check(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verify("--against", "nonsense")[0] == 2
    monkeypatch.setenv("LENDERY_CONTEXTS", "accounts")
    assert verify("--against", f"circulation:1:{'f' * 64}")[0] == 2
    migrate.downgrade(library, "accounts", "0001")
    assert verify() == (2, [])
    migrate.run(library, ["accounts"])
    code, says = verify()
    assert code == 0
    assert says[1] == "  2 were delivered before there was a chain; serving seals them"


@pytest.mark.parametrize("command", ["failed", "retry", "verify", "replay"])
def test_a_library_that_is_not_there_is_said_and_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    missing = tmp_path / "missing.db"
    monkeypatch.setenv("LENDERY_DATABASE_URL", f"sqlite:///{missing}")
    done = CliRunner().invoke(app, ["events", command])
    assert done.exit_code == 2 and f"There is no library at {missing}." in done.output
    assert list(tmp_path.iterdir()) == []
