"""Many write about one book, or make one of two, at the same moment."""

from typing import Any

from tests.assurance.desks import Ask, Told
from tests.assurance.places import Place
from tests.assurance.race import Race, Tally
from tests.stories.library import API, PASSWORD, expect


async def one_review(place: Place, *, rounds: int, desks: int = 20) -> Tally:
    """Ann sends her review from many devices at once: the book has one, and as many stars."""
    async with Race.open(place, desks, at="reviews") as race:
        tally, ann = race.tally, await race.library.reader("Ann")
        token = await place.sign_in(ann.email, PASSWORD)
        for _ in range(rounds):
            book = await race.library.book()
            path = f"{API}/books/{book['id']}/reviews"
            sent = [Ask("POST", path, token, {"rating": 1 + n % 5}) for n in range(desks)]
            answers = await race.desks.at_once(sent)
            won = [told.body for told in answers if told.status == 201]
            tally.round(attempts=desks, expected=1, winners=len(won))
            ids = {each["id"] for each in won}
            for told in answers:
                tally.must(told.status == 201 or _has_one(told, ids), told)
            page = (await race.ask(Ask("GET", path, token))).body
            tally.at_most(1, len(page["items"]))
            tally.must(
                {each["id"] for each in page["items"]} == ids, "not the review that was told"
            )
            stars = [0, 0, 0, 0, 0]
            for each in page["items"]:
                stars[each["rating"] - 1] += 1
            tally.must(page["rating"]["histogram"] == stars, "stars that nobody gave")
    return tally


async def one_merge(place: Place, *, rounds: int, desks: int = 12) -> Tally:
    """One book is merged into another at many desks at once: one of them does it."""
    async with Race.open(place, desks, at="catalog") as race:
        tally = race.tally
        for _ in range(rounds):
            loser, winner = await race.library.book(), await race.library.book()
            copy = await race.library.copy(loser)
            body = {"kind": "book", "loser_id": loser["id"], "winner_id": winner["id"]}
            answers = await race.desks.at_once(
                [Ask("POST", f"{API}/merges", race.token, body)] * desks
            )
            won = [told.body for told in answers if told.status == 201]
            tally.round(attempts=desks, expected=1, winners=len(won))
            for told in answers:
                heard = told.status == 410 and told.problem == "book-was-merged"
                tally.must(
                    told.status == 201 or (heard and told.body["into"] == winner["id"]), told
                )
            done = await _merges_of(race, loser)
            tally.at_most(1, len(done))
            tally.must(
                sorted(each["id"] for each in done) == sorted(each["id"] for each in won),
                "not the merge that was told",
            )
            moved = expect(await race.library.staff.get(f"{API}/copies/{copy['id']}"))
            tally.must(moved["book_id"] == winner["id"], "a copy that stayed behind")
    return tally


def _has_one(told: Told, ids: set[str]) -> bool:
    """The refusal names the review there is."""
    named = told.body.get("review_id")
    return told.status == 409 and told.problem == "already-reviewed" and named in ids


async def _merges_of(race: Race, loser: dict[str, Any]) -> list[dict[str, Any]]:
    found = expect(await race.library.staff.get(f"{API}/merges?limit=100"))["items"]
    return [each for each in found if each["loser_id"] == loser["id"]]
