"""Whatever is done to a file, reading it ends, and says something of everything in it."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lendery.catalog.formats import PROFILES, Exported, Format, Parsed, record_of, write
from lendery.catalog.formats.reading import UNFORESEEN
from lendery.contracts.catalog import NewAuthor, NewBook

from .files import DATA, MARC, format_of, from_bytes, marc_files

SMALL = [path for path in marc_files() if path.stat().st_size < 9_000 and path.suffix != ".gz"]
SEEDS = [(path.read_bytes(), format_of(path)) for path in SMALL]
SEEDS += [((DATA / "catalogue/goodbooks.csv").read_bytes()[:4_000], Format.csv)]
SIGNS = [
    b"\x1d",
    b"\x1e",
    b"\x1f",
    b"\x1b",
    b'"',
    b"<",
    b">",
    b"&",
    b"{",
    b"}",
    b"\xff",
    b"\n",
    b"",
]
QUICK = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)


def is_told(found: list[Parsed]) -> None:
    """Each is described or rejected, with a reason that was foreseen; what is described fits."""
    assert [each.number for each in found] == list(range(1, len(found) + 1))
    for each in found:
        assert (each.described is None) != (each.problem is None)
        assert not (each.problem or "").startswith(UNFORESEEN.partition("(")[0])
        if each.described:
            fits(each)


def fits(each: Parsed) -> None:
    """The catalogue takes it as it is."""
    said = each.described
    assert said
    NewBook(
        title=said.title,
        subtitle=said.subtitle,
        isbn=next(iter(said.isbns), None),
        publisher=said.publisher,
        published_year=said.published_year,
        language=said.language,
        subjects=list(said.subjects),
        description=said.description,
        series=said.series,
        call_number=said.call_number,
        material=said.material,
    )
    for name in said.authors:
        NewAuthor(name=name.name, sort_name=name.sort_name, born=name.born, died=name.died)


@QUICK
@given(st.data())
def test_a_mutated_file_is_read_to_its_end(data: st.DataObject) -> None:
    seed, format = data.draw(st.sampled_from(SEEDS))
    places = st.integers(0, len(seed))
    changed = seed
    for _ in range(data.draw(st.integers(1, 6))):
        start, size = data.draw(places), data.draw(st.sampled_from([0, 1, 2, 5, 40]))
        put = data.draw(st.one_of(st.sampled_from(SIGNS), st.binary(max_size=6)))
        changed = changed[:start] + put + changed[start + size :]
    is_told(from_bytes(changed, format))


@QUICK
@given(st.binary(max_size=300), st.sampled_from(list(Format)), st.sampled_from(list(PROFILES)))
def test_noise_is_read_to_its_end(data: bytes, format: Format, profile: str) -> None:
    is_told(from_bytes(data, format, PROFILES[profile]))


@QUICK
@given(st.data())
def test_what_was_read_can_be_written(data: st.DataObject) -> None:
    seed = (MARC / "pymarc/one.dat").read_bytes()
    start = data.draw(st.integers(24, len(seed) - 1))
    changed = seed[:start] + data.draw(st.binary(min_size=1, max_size=3)) + seed[start + 1 :]
    for each in from_bytes(changed, Format.marc):
        if each.described:
            for format in (Format.marc, Format.marcxml, Format.marcjson, Format.csv):
                books = [
                    Exported("1", each.described, each.raw, edited) for edited in (True, False)
                ]
                out = b"".join(write(books, format))
                assert len(from_bytes(out, format)) == 2
            assert record_of(each.raw).fields
