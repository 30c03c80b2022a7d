"""What a search does beside matching words: it corrects, explains, counts, and reads on."""

import random
from typing import Any
from uuid import UUID

import pytest

from lendery.catalog.books import BookCatalog
from lendery.catalog.finding import BookFinder
from lendery.catalog.hits import HEAD
from lendery.catalog.reactions import note_that_it_is_out
from lendery.catalog.repository.books import make_findable
from lendery.catalog.repository.popularity import recount
from lendery.contracts.base import Invalid, PeerUnavailable, Window, new_id
from lendery.contracts.catalog import Book, BookSearch, NewBook, NoSuchBook, SearchPage
from lendery.contracts.circulation import Borrowed, BorrowedTogether, ItemCheckedOut
from lendery.contracts.permissions import SYSTEM

from .conftest import MAIN_STREET, NOW, RIVERSIDE, Library

pytestmark = pytest.mark.asyncio


async def search(library: Library, q: str = "", window: Window | None = None, **wanted: Any) -> Any:
    return await library.books.search(
        wanted=BookSearch.model_validate({"q": q or None} | wanted),
        window=window or Window(limit=100),
    )


def titles(page: SearchPage) -> list[str]:
    return [each.title for each in page.items]


async def lend(library: Library, book: Book, times: int) -> None:
    """As often as circulation tells."""
    event = ItemCheckedOut(
        loan_id=new_id(), copy_id=new_id(), book_id=book.id, branch_id=MAIN_STREET,
        borrower=new_id(), due_at=NOW, at=NOW,
    )  # fmt: skip
    for _ in range(times):
        async with library.db.begin() as tx:
            await note_that_it_is_out(tx, event, None)


@pytest.fixture
async def shelves(library: Library) -> Library:
    book = library.book
    await book("Harry Potter and the Goblet of Fire", "J. K. Rowling", subjects=["Wizards"])
    await book("Harry Potter and the Order", "J. K. Rowling", subjects=["Wizards", "Schools"])
    await book("Middlemarch", "George Eliot", language="en", subjects=["Town life"])
    await book("Emma", "Jane Austen", language="en", subjects=["Town life"], published_year=1815)
    await book("Macbeth", "William Shakespeare", subjects=["Kings", "Witches"])
    await book("The Life of Harry", "Ann Nobody", subjects=["Kings"])
    await book("Война и мир", "Лев Толстой", language="ru")
    return library


@pytest.mark.parametrize(
    ("typed", "meant", "found"),
    [
        ("hary potter", "harry potter", 2),
        ("harry poter", "harry potter", 2),
        ("hrary potter", "harry potter", 2),
        ("harrypotter", "harry potter", 2),
        ("midlemarch", "middlemarch", 1),
        ("Middle March", "middlemarch", 1),
        ("shakespere MACBETH", "shakespeare MACBETH", 1),
        ("author:shakespaere", "author:shakespeare", 1),
        ('"goblet of fyre"', '"goblet of fire"', 1),
        ("potter -ordre goblte", "potter -ordre goblet", 1),
        ("вайна", "война", 1),
    ],
)
async def test_words_that_find_nothing_are_corrected(
    shelves: Library, typed: str, meant: str, found: int
) -> None:
    page = await search(shelves, typed, Window(total=True), facets=True, explain=True)
    assert page.did_you_mean == meant and page.total == len(page.items) == found
    assert page.facets["material"][0].count == found == len(page.explanations)
    exact = await search(shelves, typed, similarity=0)
    assert exact.did_you_mean is None and exact.items == []


@pytest.mark.parametrize("typed", ["harry", "zzqqxxvv", "potter shakespeare", "12345", "?!"])
async def test_what_is_right_or_beyond_help_stays_as_it_was_typed(
    shelves: Library, typed: str
) -> None:
    assert (await search(shelves, typed)).did_you_mean is None


async def test_a_known_word_that_a_filter_leaves_nothing_of_is_not_corrected(
    shelves: Library,
) -> None:
    page = await search(shelves, "emma", language="ru")
    assert page.items == [] and page.did_you_mean is None
    assert (await search(shelves, "ema", language="ru")).items == []


async def test_similarity_says_how_far_a_match_may_be(shelves: Library) -> None:
    await shelves.book("Emna's Garden", "Ann Nobody")
    assert titles(await search(shelves, "emma")) == ["Emma"]
    assert titles(await search(shelves, "emma", similarity=0)) == ["Emma"]
    assert titles(await search(shelves, "emma", similarity=0.2)) == ["Emma"]
    near = titles(await search(shelves, "emma", similarity=0.8))
    assert near == ["Emma", "Emna's Garden"]


async def test_a_corrected_search_reads_on(shelves: Library) -> None:
    first = await search(shelves, "hary poter", Window(limit=1))
    rest = await search(shelves, "hary poter", Window(limit=1, after=first.next_cursor))
    assert first.did_you_mean == rest.did_you_mean == "harry potter"
    assert {*titles(first), *titles(rest)} == {
        "Harry Potter and the Goblet of Fire", "Harry Potter and the Order"
    }  # fmt: skip
    assert rest.next_cursor is None


async def test_the_dictionary_knows_a_new_word_at_the_next_request(shelves: Library) -> None:
    assert (await search(shelves, "quidditsch")).did_you_mean is None
    emma = (await search(shelves, "emma")).items[0]
    await shelves.change(emma, title="Quidditch")
    page = await search(shelves, "quidditsch")
    assert page.did_you_mean == "quidditch" and titles(page) == ["Quidditch"]


async def test_it_is_said_why_a_hit_ranks_where_it_does(shelves: Library) -> None:
    emma = (await search(shelves, "emma")).items[0]
    await shelves.copy(emma, "B1")
    await lend(shelves, emma, 3)
    page = await search(shelves, "emma austen", explain=True)
    [explained] = page.explanations
    reasons = {(each.what, each.words): each.adds for each in explained.reasons}
    assert set(reasons) == {
        ("title", "emma"), ("author", "austen"), ("title-match", None), ("lent", None),
        ("available", None),
    }  # fmt: skip
    assert reasons["title", "emma"] == 5.0 and reasons["author", "austen"] == 4.0
    assert reasons["title-match", None] == 4.0 and reasons["lent", None] == 0.6
    assert explained.rank == 13.7 and explained.book_id == emma.id
    assert page.items[0].id == emma.id
    [whole] = (await search(shelves, "emma", explain=True)).explanations
    assert ("whole-title", 100.0) in [(each.what, each.adds) for each in whole.reasons]


async def test_where_the_words_stand_decides_then_what_is_lent_most(library: Library) -> None:
    by = await library.book("Plain Tales", "Harbour Jones")
    on = await library.book("Other Tales", "Ann", subjects=["Harbour"])
    told = await library.book("More Tales", "Ann", description="Of a harbour.")
    long = await library.book("The Harbour and the Hill and the Sea", "Ann")
    twin = await library.book("The Harbour and the Moor and the Sea", "Ann")
    exact = await library.book("The Harbour", "Ann")
    listed = [exact, long, twin, by, on, told]
    assert [b.id for b in (await search(library, "harbour")).items] == [b.id for b in listed]
    await lend(library, twin, 2)
    listed = [exact, twin, long, by, on, told]
    assert [b.id for b in (await search(library, "harbour")).items] == [b.id for b in listed]


async def test_the_most_lent_come_first_and_may_be_sorted_by(library: Library) -> None:
    lent = {"One": 0, "Two": 5, "Three": 2, "Four": 5, "Five": 1}
    for title, times in lent.items():
        await lend(library, await library.book(f"{title} Tale"), times)
    order = ["Two Tale", "Four Tale", "Three Tale", "Five Tale", "One Tale"]
    assert titles(await search(library, sort="popularity")) == order
    assert titles(await search(library, "tale", sort="popularity")) == order
    assert titles(await search(library, "tale")) == order
    cursor, paged = None, []
    for _ in order:
        page = await search(library, window=Window(limit=1, after=cursor), sort="popularity")
        paged += titles(page)
        cursor = page.next_cursor
    assert paged == order and cursor is None


async def test_a_book_that_was_lent_is_still_found_when_it_is_changed(library: Library) -> None:
    book = await library.book("Old Name", "Ann")
    await lend(library, book, 9)
    await library.change(book, title="New Name")
    assert titles(await search(library, "name")) == ["New Name"]
    assert (await search(library, "old", similarity=0)).items == []
    await library.books.remove(book_id=book.id, actor=SYSTEM, now=NOW)
    assert (await search(library, "name", similarity=0)).items == []


async def test_what_was_lent_can_be_counted_anew(library: Library) -> None:
    one, two = await library.book("One Tale"), await library.book("Two Tale")
    await lend(library, one, 3)
    async with library.db.begin() as tx:
        assert await recount(tx, lent={one.id: 3, two.id: 300}) == 1
    assert titles(await search(library, "tale")) == ["Two Tale", "One Tale"]
    assert titles(await search(library, sort="popularity")) == ["Two Tale", "One Tale"]


async def test_a_restored_catalog_is_searched_as_before(shelves: Library) -> None:
    await lend(shelves, (await search(shelves, "macbeth")).items[0], 5)
    asked = ["harry", "hary", "kings", "author:eliot"]
    before = [titles(await search(shelves, q)) for q in asked]
    async with shelves.db.begin() as tx:
        await make_findable(tx)
    assert [titles(await search(shelves, q)) for q in asked] == before
    assert before[2] == ["Macbeth", "The Life of Harry"]


async def test_facets_count_branches_and_what_is_in(shelves: Library) -> None:
    emma = (await search(shelves, "emma")).items[0]
    march = (await search(shelves, "middlemarch")).items[0]
    await shelves.copy(emma, "B1")
    await shelves.copy(emma, "B2")
    await shelves.copy(emma, "B3", branch_id=RIVERSIDE)
    await shelves.copy(march, "B4", item_type="reference")
    for wanted in ({"q": "subject:town"}, {"subject": "town"}, {"q": "town", "sort": "title"}):
        facets = (await search(shelves, facets=True, **wanted)).facets
        assert {f.value: f.count for f in facets["branch"]} == {
            str(MAIN_STREET): 2, str(RIVERSIDE): 1
        }  # fmt: skip
        assert [(f.value, f.count) for f in facets["available"]] == [("true", 1)]
        assert [(f.value, f.count) for f in facets["year"]] == [("1810..1819", 1)]
        assert [(f.value, f.count) for f in facets["language"]] == [("en", 2)]


async def many(library: Library, count: int, chance: random.Random) -> list[Book]:
    new = [
        NewBook(
            title=" ".join(chance.choices(["stone", "river", "red"], k=chance.randint(1, 4))),
            authors=[chance.choice(["Ann", "Ben River"])],
            language=chance.choice(["en", "de", None]),
            subjects=chance.choice([[], ["Rivers"]]),
        )
        for _ in range(count)
    ]
    ids = await library.books.add_many(books=new, actor=SYSTEM, now=NOW)
    return await library.books.by_ids(ids=ids)


WAYS: list[dict[str, Any]] = [
    {"q": "river"},
    {"q": "red stone"},
    {"q": "river", "language": "de"},
    {"q": "river", "year_from": 1},
    {"q": "river", "sort": "title"},
    {"q": "river", "sort": "popularity"},
    {"q": "river", "sort": "newest"},
    {"sort": "title"},
    {"sort": "author"},
    {"sort": "year"},
    {"sort": "popularity"},
    {"sort": "newest"},
    {},
]


@pytest.mark.parametrize("wanted", WAYS, ids=str)
async def test_who_reads_on_while_books_are_added_misses_and_repeats_none(
    library: Library, wanted: dict[str, Any]
) -> None:
    chance = random.Random(str(wanted))
    before = await many(library, 3 * HEAD, chance)
    for book in chance.sample(before, 20):
        await lend(library, book, chance.randint(1, 4))
    if "year_from" in wanted:
        for book in before[:5]:
            await library.change(book, published_year=1900)
    all_of = {b.id for b in before}
    cursor, paged = None, []
    whole: list[Any] = []
    after = None
    while True:  # what the list is before anything is added
        page = await search(library, window=Window(limit=100, after=after), **wanted)
        whole += [each.id for each in page.items]
        after = page.next_cursor
        if after is None:
            break
    while True:
        page = await search(library, window=Window(limit=23, after=cursor), **wanted)
        paged += [each.id for each in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
        await many(library, 3, chance)
    assert [each for each in paged if each in all_of] == whole
    assert len(paged) == len(set(paged)) and len(whole) == len(set(whole))


async def test_an_offset_goes_where_the_cursor_goes(library: Library) -> None:
    await many(library, 2 * HEAD, random.Random(3))
    for wanted in ({"q": "river"}, {"q": "river", "sort": "popularity"}, {"sort": "title"}):
        cursor, paged, skipped = None, [], []
        for at in range(6):
            page = await search(library, window=Window(limit=40, after=cursor), **wanted)
            paged += page.items
            offset = await search(library, window=Window(limit=40, offset=40 * at), **wanted)
            skipped += offset.items
            cursor = page.next_cursor
            if cursor is None:
                break
        assert [each.id for each in paged] == [each.id for each in skipped]


async def test_a_total_is_exact_or_a_guess_above_a_thousand(library: Library) -> None:
    await many(library, 300, random.Random(5))
    exact = await search(library, "river", Window(limit=1, total=True))
    guess = await search(library, "river", Window(limit=1, total=True, estimate=True))
    assert exact.total == guess.total == len(await whole(library, "river"))
    listed = await search(library, window=Window(limit=1, total=True), language="de")
    assert listed.total == len(await whole(library, language="de"))


async def whole(library: Library, q: str = "", **wanted: Any) -> list[Any]:
    found, cursor = [], None
    while True:
        page = await search(library, q, Window(limit=100, after=cursor), **wanted)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


@pytest.mark.parametrize("level", [1, 30])
async def test_however_they_are_found_the_hits_are_the_same(
    library: Library, level: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the index, by walking, among the often lent: the planner only chooses the way."""
    from lendery.catalog import hits
    from lendery.catalog.rules.estimates import Way

    chance = random.Random(level)
    for book in chance.sample(await many(library, 2 * HEAD, chance), 30):
        await lend(library, book, chance.randint(1, level))
    planned = [each.id for each in await whole(library, "river")]
    for first in (Way("index"), Way("walk"), Way("index", 1), Way("index", 16)):
        monkeypatch.setattr(hits, "ways", lambda *_, first=first, **__: [first, Way("index")])
        assert [each.id for each in await whole(library, "river")] == planned


@pytest.mark.parametrize(
    "cursor", ["WyJyZWxldmFuY2UiXQ", "WyJyZWxldmFuY2UiLG51bGwsbnVsbCwxXQ", "x"]
)
async def test_a_cursor_of_something_else_is_refused(shelves: Library, cursor: str) -> None:
    with pytest.raises(Invalid):
        await search(shelves, "harry", Window(after=cursor))
    by_title = await search(shelves, "harry", Window(limit=1), sort="title")
    with pytest.raises(Invalid):
        await search(shelves, "harry", Window(after=by_title.next_cursor))


async def test_similar_books_share_an_author_or_what_they_are_about(shelves: Library) -> None:
    goblet = (await search(shelves, "goblet")).items[0]
    similar = shelves.books.similar
    assert [b.title for b in await similar(book_id=goblet.id)] == ["Harry Potter and the Order"]
    life = (await search(shelves, "title:life")).items[0]
    assert [b.title for b in await similar(book_id=life.id)] == ["Macbeth"]
    lonely = await shelves.book("Lonely")
    assert await similar(book_id=lonely.id) == []
    with pytest.raises(NoSuchBook):
        await similar(book_id=new_id())


class Readers:
    """Circulation, which knows who borrowed what, or does not answer."""

    def __init__(self, *told: BorrowedTogether) -> None:
        self.told, self.asked = list(told), list[UUID]()

    async def known(self, *, asked: list[Borrowed]) -> list[Borrowed]:
        return []

    async def together(self, *, copy_ids: list[UUID]) -> list[BorrowedTogether]:
        self.asked = copy_ids
        if not self.told:
            raise PeerUnavailable("circulation does not answer.")
        return self.told


async def test_what_readers_borrowed_together_is_similar_too(shelves: Library) -> None:
    goblet = (await search(shelves, "goblet")).items[0]
    copy = await shelves.copy(goblet, "B1")
    near, far = await shelves.book("Bread"), await shelves.book("Butter")
    await shelves.book("Salt")
    readers = Readers(*(_with(book, many) for book, many in ((near, 40), (far, 3))), _with(None, 9))
    books = BookCatalog(shelves.db, readers)
    similar = [each.title for each in await books.similar(book_id=goblet.id)]
    assert similar == ["Bread", "Harry Potter and the Order", "Butter"]
    assert readers.asked == [copy.id]
    silent = BookCatalog(shelves.db, Readers())
    assert [each.title for each in await silent.similar(book_id=goblet.id)] == similar[1:2]


def _with(book: Book | None, readers: int) -> BorrowedTogether:
    return BorrowedTogether(book_id=book.id if book else new_id(), readers=readers, among=50)


async def test_a_withdrawn_book_is_like_none(shelves: Library) -> None:
    order = (await search(shelves, "order")).items[0]
    goblet = (await search(shelves, "goblet")).items[0]
    await shelves.copy(order, "B1")
    await shelves.books.remove(book_id=order.id, actor=SYSTEM, now=NOW)
    assert await shelves.books.similar(book_id=goblet.id) == []


async def test_suggestions_are_the_most_lent_that_begin_so(library: Library) -> None:
    books = [await library.book(f"Sea {word}") for word in ("a", "b", "c")]
    await lend(library, books[2], 2)
    assert [s.text for s in await library.books.suggest(q="sea")] == ["Sea c", "Sea a", "Sea b"]
    assert isinstance(library.books, BookFinder)
