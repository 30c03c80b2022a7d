"""One search contract, kept by both databases."""

import pytest

from lendery.contracts.base import Invalid, Window
from lendery.contracts.catalog import BookSearch
from lendery.contracts.permissions import SYSTEM

from .conftest import MAIN_STREET, NOW, RIVERSIDE, Library

pytestmark = pytest.mark.asyncio


@pytest.fixture
async def shelves(library: Library) -> Library:
    book = library.book
    await book(
        "Middlemarch",
        "George Eliot",
        isbn="978-0-14-143954-9",
        language="en",
        published_year=1871,
        subjects=["City and town life", "Fiction"],
    )
    await book(
        "The Mill on the Floss",
        "George Eliot",
        language="en",
        published_year=1860,
        subjects=["Fiction"],
    )
    await book(
        "L'Étranger", "Albert Camus", language="fr", published_year=1942, subjects=["Philosophy"]
    )
    await book("Don't Let's Go to the Dogs Tonight", "Alexandra Fuller", material="audiobook")
    await book(
        "The Hobbit",
        "J. R. R. Tolkien",
        subtitle="or There and Back Again",
        published_year=1937,
        subjects=["Fantasy", "Fiction"],
    )
    await book("Война и мир", "Лев Толстой", language="ru", published_year=1869)
    await book("Война и миръ: ёлка", "Лев Толстой", language="ru")
    await book("紅樓夢", "曹雪芹", language="zh")
    await book("C++ & the STL: what's new?", "Bjarne O'Brien", description="Emma wrote a note.")
    await book("Emma", "Jane Austen", language="en", published_year=1815, subjects=["Fiction"])
    await book("Emma's Other Life, a Long Story of Emma", "Ann Nobody", language="en")
    await book("Die Verwandlung", "Franz Kafka", language="de", published_year=1915)
    await book("Straße der Œuvres", "Søren Łukasz", publisher="Ærø Press")
    return library


# fmt: off
FINDS = [
    ("middlemarch", {"Middlemarch"}),
    ("MIDDLEMARCH eliot", {"Middlemarch"}),
    ("eliot", {"Middlemarch", "The Mill on the Floss"}),
    ("eliot hobbit", set()),
    ("middle", set()),
    ("etranger", {"L'Étranger"}),
    ("l'étranger", {"L'Étranger"}),
    ("l\u2019Etranger", {"L'Étranger"}),
    ("letranger", {"L'Étranger"}),
    ("dont lets", {"Don't Let's Go to the Dogs Tonight"}),
    ("don't", {"Don't Let's Go to the Dogs Tonight"}),
    ("jrr tolkien", {"The Hobbit"}),
    ("J.R.R. Tolkien", {"The Hobbit"}),
    ("tolkien, j. r. r.", {"The Hobbit"}),
    ('"back again"', {"The Hobbit"}),
    ('"again back"', set()),
    ("\u201cback again\u201d", {"The Hobbit"}),
    ('"hobbit or"', set()),
    ("война", {"Война и мир", "Война и миръ: ёлка"}),
    ("ВОЙНА елка", {"Война и миръ: ёлка"}),
    ("樓夢", {"紅樓夢"}),
    ("夢樓", set()),
    ("c++ stl", {"C++ & the STL: what's new?"}),
    ("stl and new", {"C++ & the STL: what's new?"}),
    ("c and the stl", {"C++ & the STL: what's new?"}),
    ("obrien", {"C++ & the STL: what's new?"}),
    ("o\u2019brien", {"C++ & the STL: what's new?"}),
    ("strasse oeuvres", {"Straße der Œuvres"}),
    ("soren lukasz", {"Straße der Œuvres"}),
    ("aero press", {"Straße der Œuvres"}),
    ("aeroe press", set()),
    ("aro press", set()),
    ("ærø press", {"Straße der Œuvres"}),
    ("9780141439549", {"Middlemarch"}),
    ("978-0-14-143954-9", {"Middlemarch"}),
    ("0141439548", {"Middlemarch"}),
    ("ISBN 0-14-143954-8", {"Middlemarch"}),
    ("middlemarch 0141439548", {"Middlemarch"}),
    ("emma", {"Emma", "Emma's Other Life, a Long Story of Emma", "C++ & the STL: what's new?"}),
    ('"town life"', {"Middlemarch"}),
    ('"life fiction"', set()),
    ("cats AND dogs", set()),
    ("hobbit AND tolkien", {"The Hobbit"}),
    ("author:eliot", {"Middlemarch", "The Mill on the Floss"}),
    ("AUTHOR:Eliot -floss", {"Middlemarch"}),
    ("eliot -title:middlemarch", {"The Mill on the Floss"}),
    ('author:"george eliot" mill', {"The Mill on the Floss"}),
    ("title:eliot", set()),
    ("title:hobbit", {"The Hobbit"}),
    ("subject:fiction title:emma", {"Emma"}),
    ("category:town", {"Middlemarch"}),
    ('subject:"town life"', {"Middlemarch"}),
    ("isbn:0-14-143954-8", {"Middlemarch"}),
    ("isbn:0-14-143954-9", set()),
    ("ISBN 978 0 14 143954 9 eliot", {"Middlemarch"}),
    ("year:1871", {"Middlemarch"}),
    ("year:1860..1871", {"Middlemarch", "The Mill on the Floss", "Война и мир"}),
    ("year:..1815", {"Emma"}),
    ("year:1940..", {"L'Étranger"}),
    ("fiction year:1900..", {"The Hobbit"}),
    ("fiction year:1900.. year:1950..", {"The Hobbit"}),
    ("year:1871..1860", set()),
    ("fiction -town -hobbit -floss", {"Emma"}),
    ('emma -"long story"', {"Emma", "C++ & the STL: what's new?"}),
    ("-emma", set()),
    ("midd*", {"Middlemarch"}),
    ("mid* eli*", {"Middlemarch"}),
    ("zzz*", set()),
    ("the hobbit of", {"The Hobbit"}),
    ("the", {"The Mill on the Floss", "Don't Let's Go to the Dogs Tonight", "The Hobbit",
             "C++ & the STL: what's new?"}),
]
# fmt: on


async def titles(library: Library, **wanted: object) -> list[str]:
    page = await library.books.search(
        wanted=BookSearch.model_validate(wanted), window=Window(limit=100)
    )
    return [each.title for each in page.items]


async def test_the_same_words_find_the_same_books_on_every_database(shelves: Library) -> None:
    found = {q: set(await titles(shelves, q=q, similarity=0)) for q, _ in FINDS}
    assert found == dict(FINDS)


async def test_a_title_that_is_just_what_was_asked_comes_first(shelves: Library) -> None:
    assert (await titles(shelves, q="emma"))[0] == "Emma"
    assert (await titles(shelves, q="the hobbit"))[0] == "The Hobbit"
    assert (await titles(shelves, q="emma"))[-1] == "C++ & the STL: what's new?"


async def test_fields_narrow_a_search(shelves: Library) -> None:
    assert await titles(shelves, author="eliot", subject="town") == ["Middlemarch"]
    assert await titles(shelves, q="fiction", author="austen") == ["Emma"]
    assert await titles(shelves, author="emma") == []
    assert set(await titles(shelves, subject="fiction")) == {
        "Middlemarch", "The Mill on the Floss", "The Hobbit", "Emma"
    }  # fmt: skip
    assert await titles(shelves, isbn="0-14-143954-8") == ["Middlemarch"]
    assert await titles(shelves, isbn="0-14-143954-9") == []
    assert await titles(shelves, language="de") == ["Die Verwandlung"]
    assert await titles(shelves, material="audiobook", q="dogs") == [
        "Don't Let's Go to the Dogs Tonight"
    ]
    assert set(await titles(shelves, year_from=1860, year_to=1871)) == {
        "Middlemarch", "The Mill on the Floss", "Война и мир"
    }  # fmt: skip
    assert await titles(shelves, q="emma", language="en", year_to=1900) == ["Emma"]
    assert await titles(shelves, year_from=10**12) == []


@pytest.mark.parametrize(
    "typed",
    [
        '"', '""', '"""', "'", "NEAR(a b)", "title:emma", "emma*", "-emma", "NOT", "OR", "AND",
        "emma OR hobbit", "((((", "^emma", "{title}: x", "a:*b", "&|!<->", "'emma':A", "\\", "%",
        "_", "; DROP TABLE catalog_book; --", "·withdrawn", "·", "\u0301", "🙂", "a\u0000b", "+",
        "emma NEAR/3 hobbit", '"unfinished', "x" * 500, "a " * 250, '"' * 500, "\u200d\ufeff",
        "<-> emma", "author:", "year:..", 'title:"', '-"', "isbn:", "year:-9999..9999", "a*b* *",
        "-", "-the", "year:1990..x", 'author:-"emma', "author:title:emma", "\u2212emma", "e* a*",
        "emma:*", "ﷺ" * 100, "\U000e0001", "1e5 0x1F -2.5e-3", "http://a.b/c?d=e",
    ],
)  # fmt: skip
async def test_nothing_typed_is_an_operator(shelves: Library, typed: str) -> None:
    for field in ("q", "author", "subject"):
        for sort in ("relevance", "title"):
            await titles(shelves, **{field: typed, "sort": sort, "facets": True})
    await shelves.books.suggest(q=typed)
    await shelves.books.subjects(q=typed, window=Window())
    await shelves.authors.find(q=typed, window=Window(total=True))
    assert len(await titles(shelves)) == 13


async def test_operators_of_databases_are_words(shelves: Library) -> None:
    assert await titles(shelves, q="emma NEAR hobbit") == []
    assert await titles(shelves, q="other:hobbit") == []
    assert await titles(shelves, q="NOT", similarity=0) == []


async def test_punctuation_alone_finds_nothing_and_an_empty_box_lists(shelves: Library) -> None:
    assert await titles(shelves, q="?!…") == []
    page = await shelves.books.search(
        wanted=BookSearch(q="???", facets=True), window=Window(total=True)
    )
    assert page.total == 0 and page.facets and not any(page.facets.values())
    assert len(await titles(shelves, q="  ")) == 13


async def test_a_search_of_more_than_500_characters_is_refused(shelves: Library) -> None:
    for field in ("q", "author", "subject"):
        with pytest.raises(Invalid):
            await titles(shelves, **{field: "a" * 501})


async def test_the_next_request_finds_what_this_one_changed(shelves: Library) -> None:
    page = await shelves.books.search(wanted=BookSearch(q="hobbit"), window=Window())
    await shelves.change(page.items[0], title="The Lord of the Rings", subjects=["Epics"])
    assert await titles(shelves, q="hobbit") == []
    assert await titles(shelves, q="lord rings epics") == ["The Lord of the Rings"]
    assert await titles(shelves, subject="fantasy") == []


async def test_totals_and_facets_count_what_matches(shelves: Library) -> None:
    page = await shelves.books.search(
        wanted=BookSearch(subject="fiction", facets=True), window=Window(limit=1, total=True)
    )
    assert page.total == 4 and len(page.items) == 1
    assert page.facets is not None
    counted = {name: {f.value: f.count for f in found} for name, found in page.facets.items()}
    assert counted == {
        "language": {"en": 3},
        "material": {"book": 4},
        "subject": {"Fiction": 4, "City and town life": 1, "Fantasy": 1},
        "author": {"George Eliot": 2, "J. R. R. Tolkien": 1, "Jane Austen": 1},
        "branch": {},
        "available": {},
        "year": {"1810..1819": 1, "1860..1869": 1, "1870..1879": 1, "1930..1939": 1},
    }
    everything = await shelves.books.search(
        wanted=BookSearch(facets=True), window=Window(limit=1, total=True)
    )
    assert everything.total == 13


async def test_available_is_what_stands_on_a_shelf(shelves: Library) -> None:
    hobbit = (await shelves.books.search(wanted=BookSearch(q="hobbit"), window=Window())).items[0]
    emma = (await shelves.books.search(wanted=BookSearch(q="emma"), window=Window())).items[0]
    await shelves.copy(hobbit, "B1")
    await shelves.copy(emma, "B2", branch_id=RIVERSIDE, item_type="reference")
    assert await titles(shelves, available=True) == ["The Hobbit"]
    assert await titles(shelves, available=True, q="tolkien") == ["The Hobbit"]
    assert await titles(shelves, available=True, branch_id=MAIN_STREET) == ["The Hobbit"]
    assert await titles(shelves, available=True, branch_id=RIVERSIDE) == []
    assert await titles(shelves, branch_id=RIVERSIDE) == ["Emma"]
    assert len(await titles(shelves, available=False)) == 12


async def test_a_withdrawn_book_is_out_of_lists_and_search(shelves: Library) -> None:
    emma = (await shelves.books.search(wanted=BookSearch(q="emma"), window=Window())).items[0]
    await shelves.copy(emma, "B1")
    await shelves.books.remove(book_id=emma.id, actor=SYSTEM, now=NOW)
    assert "Emma" not in await titles(shelves) + await titles(shelves, q="emma")
    assert await titles(shelves, author="austen") == []
    assert await titles(shelves, withdrawn=True) == ["Emma"]
    assert await titles(shelves, withdrawn=True, q="austen") == ["Emma"]
    assert await titles(shelves, withdrawn=True, q="hobbit") == []
    assert await titles(shelves, author_id=emma.authors[0].id) == []
    assert [each.text for each in await shelves.books.suggest(q="emma")] == [
        "Emma's Other Life, a Long Story of Emma"
    ]


async def test_suggestions_begin_as_somebody_types(shelves: Library) -> None:
    async def texts(q: str) -> list[str]:
        return [each.text for each in await shelves.books.suggest(q=q)]

    assert await texts("midd") == ["Middlemarch"]
    assert await texts("the mil") == ["The Mill on the Floss"]
    assert await texts("geo") == ["George Eliot"]
    assert await texts("flos") == ["The Mill on the Floss"]
    assert await texts("") == [] and await texts("?") == []
    assert {each.kind for each in await shelves.books.suggest(q="e")} == {"title", "author"}


async def test_subjects_are_listed_with_how_many_books_they_have(shelves: Library) -> None:
    page = await shelves.books.subjects(q="fi", window=Window(total=True))
    assert [(each.name, each.books) for each in page.items] == [("Fiction", 4)]
    assert page.total == 1
    first = await shelves.books.subjects(q=None, window=Window(limit=3))
    rest = await shelves.books.subjects(q=None, window=Window(limit=3, after=first.next_cursor))
    assert [each.name for each in [*first.items, *rest.items]] == [
        "City and town life", "Fantasy", "Fiction", "Philosophy"
    ]  # fmt: skip
    assert rest.next_cursor is None
