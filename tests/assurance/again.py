"""A request sent again: one effect and equal answers, however the first answer was lost.

Grown from repeats.py, which sends three of the requests twenty times at once: here is every POST
that moves a book or money, and what may happen between the first sending and the last.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from urllib.parse import urlsplit
from uuid import uuid4

from tests.assurance.again_kinds import KINDS, Kind
from tests.assurance.again_trials import Trial
from tests.assurance.desks import Ask, Told
from tests.assurance.places import Place
from tests.assurance.proxy import Proxy
from tests.assurance.race import Race, Tally
from tests.assurance.repeats import must_be_reused, the_one_answer
from tests.assurance.storm_calls import Caller, Line, Note

TIMES = 5
AT_ONCE = 64
CUT_BEFORE = 300  # bytes: every answer is longer, head and body together
EACH = (1 + TIMES + 2) + (AT_ONCE + 1) + 3 + (1 + 2 + 1)  # requests in a round
DIES_WITHIN = 0.08  # seconds: before, while and after the nine are answered
RULES = {"renew_from": "due-date", "renewals": 9}


async def sent_again(place: Place, *, rounds: int, kind: str, url: str) -> Tally:
    """`url`: where the library is served, so that a proxy can be put before it."""
    tried, random = KINDS[kind], Random(kind)
    async with (
        Race.open(place, AT_ONCE, **RULES) as race,
        Proxy.before(urlsplit(url).port or 80) as proxy,
    ):
        kim = await race.colleague()
        for _ in range(rounds):
            await _one_after_the_other(race, tried, kim)
            await _all_at_once(race, tried)
            await _after_a_cut(race, tried, proxy, random.randrange(CUT_BEFORE))
            await _refused(race, tried)
    return race.tally


async def _one_after_the_other(race: Race, kind: Kind, kim: str) -> None:
    """With a change in between, another request under the same key, and a colleague's key."""
    trial = await kind.ready(race)
    first = await race.ask(trial.ask)
    race.tally.must(first.status == kind.status, f"{kind.name}: {first}")
    if (stir := trial.stir(first.body)) is not None:
        stirred = await race.ask(stir)
        race.tally.must(stirred.status < 300, f"{kind.name}, in between: {stirred}")
    later = [await race.ask(trial.ask) for _ in range(TIMES)]
    await _once(race, kind, trial, [first, *later], attempts=1 + TIMES + 2)
    await _another_body(race, kind, trial)
    theirs = await race.ask(trial.by(kim))
    race.tally.must(theirs.status == kind.status, f"{kind.name}, a colleague's key: {theirs}")
    race.tally.must(await trial.others() == 1, f"{kind.name}: a colleague's key did not act")


async def _all_at_once(race: Race, kind: Kind) -> None:
    trial = await kind.ready(race)
    answers = await race.desks.at_once([trial.ask] * AT_ONCE)
    await _once(race, kind, trial, [*answers, await race.ask(trial.ask)], attempts=AT_ONCE + 1)


async def _after_a_cut(race: Race, kind: Kind, proxy: Proxy, after: int) -> None:
    trial = await kind.ready(race)
    proxy.cut_after = after
    line = Line(*await asyncio.open_connection("127.0.0.1", proxy.port))
    told, heard = await line.told(trial.ask)
    race.tally.must((told.status, heard) == (0, after), f"not cut after {after}: {told}, {heard}")
    answers = [await race.ask(trial.ask) for _ in range(2)]
    await _once(race, kind, trial, answers, attempts=3)


async def _refused(race: Race, kind: Kind) -> None:
    """What was refused stays refused under its key, also when nothing stands in the way now."""
    trial = await kind.refused(race)
    first = await race.ask(trial.ask)
    race.tally.must((first.status, first.problem) == (409, kind.code), f"{kind.name}: {first}")
    stir = trial.stir(first.body)
    if stir is not None:
        relieved = await race.ask(stir)
        race.tally.must(relieved.status < 300, f"{kind.name}, relieved: {relieved}")
    the_one_answer(race.tally, [first, *[await race.ask(trial.ask) for _ in range(2)]], 409)
    await _another_body(race, kind, trial)
    effects = await trial.effects()
    race.tally.at_most(0, effects)
    race.tally.round(attempts=4, expected=0, winners=effects)
    if stir is not None:
        anew = await race.ask(replace(trial.ask, key=uuid4().hex))
        race.tally.must(anew.status == kind.status, f"{kind.name}, under a new key: {anew}")


async def _another_body(race: Race, kind: Kind, trial: Trial) -> None:
    must_be_reused(race.tally, await race.ask(trial.other))
    race.tally.must(await trial.others() == 0, f"{kind.name} done under a key that was used")


async def _once(
    race: Race, kind: Kind, trial: Trial, answers: Sequence[Told], *, attempts: int
) -> None:
    the_one_answer(race.tally, answers, kind.status)
    effects = await trial.effects()
    race.tally.at_most(1, effects)
    race.tally.round(attempts=attempts, expected=1, winners=effects)


# --- after a kill -----------------------------------------------------------------------------


async def killed_and_sent_again(place: Place, *, rounds: int, seed: int = 0) -> Tally:
    """One of each kind is on its way when the process is killed; then it is sent again."""
    random = Random(seed)
    async with Race.open(place, 2, **RULES) as race:
        made = [[(kind, await kind.ready(race)) for kind in KINDS.values()] for _ in range(rounds)]
        url = place.urls["circulation"]  # type: ignore[attr-defined]
        for trials in made:
            notes = [Note(kind.name, trial.ask) for kind, trial in trials]
            dying = _kill(place, random.uniform(0, DIES_WITHIN))
            await asyncio.gather(*[Caller().call(url, note) for note in notes], dying)
            for (kind, trial), note in zip(trials, notes, strict=True):
                answers = [note.told] if note.answered else []
                for _ in range(1 + random.randrange(TIMES)):
                    answers.append(await _asked(url, trial.ask))
                await _once(race, kind, trial, answers, attempts=len(answers))
    return race.tally


async def _kill(place: Place, after: float) -> None:
    await asyncio.sleep(after)
    unit = place._lending  # type: ignore[attr-defined]
    place.kill(unit)  # type: ignore[attr-defined]
    place.launch(unit)  # type: ignore[attr-defined]
    await asyncio.to_thread(place.wait_until_ready, unit)  # type: ignore[attr-defined]


async def _asked(url: str, ask: Ask) -> Told:
    note, caller = Note("again", ask), Caller()
    await caller.call(url, note)
    caller.hang_up()
    return note.told
