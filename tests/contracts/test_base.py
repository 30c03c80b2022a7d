"""The grammar of contracts: ids, text, money, problems, events."""

import importlib
import inspect
import pkgutil
import re
import time
import unicodedata
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

import lendery
from lendery.contracts import accounts, base, catalog, circulation
from lendery.contracts.base import (
    MOST_TYPED,
    Amount,
    Code,
    Event,
    Input,
    Instant,
    Line,
    Money,
    PeerFailed,
    Problem,
    RequestKey,
    Text,
    Value,
    new_id,
)

MODULES = (base, accounts, catalog, circulation)


def classes(kind: type) -> list[type]:
    """Those that the contracts define, not those that tests do."""
    return [
        each
        for module in MODULES
        for _, each in inspect.getmembers(module, inspect.isclass)
        if issubclass(each, kind) and _is_of(each, module) and each is not kind
    ]


def _is_of(each: type, module: Any) -> bool:
    """Of the module, or of the package, in which some contracts are split."""
    return f"{each.__module__}.".startswith(f"{module.__name__}.")


def test_an_id_is_a_uuid_of_version_seven() -> None:
    for _ in range(1000):
        made = new_id()
        assert (made.version, made.variant) == (7, "specified in RFC 4122")


def test_ids_tell_when_they_were_made() -> None:
    before = time.time_ns() // 1_000_000
    made = new_id()
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000


def test_a_hundred_thousand_ids_differ_and_go_up_with_time() -> None:
    made = [new_id() for _ in range(100_000)]
    assert len(set(made)) == 100_000
    stamps = [each.int >> 80 for each in made]
    assert stamps == sorted(stamps)


def test_ids_made_in_a_row_stay_in_their_order() -> None:
    made = [new_id() for _ in range(2000)]
    out_of_order = sum(one.int >> 64 > other.int >> 64 for one, other in pairwise(made))
    assert out_of_order == 0


def test_ids_of_a_later_millisecond_sort_later_as_numbers_and_as_text() -> None:
    made = []
    for _ in range(20):
        made.append(new_id())
        time.sleep(0.0012)
    assert made == sorted(made)
    assert [str(each) for each in made] == sorted(str(each) for each in made)
    assert [each.hex for each in made] == sorted(each.hex for each in made)


def test_the_random_part_of_an_id_is_all_random() -> None:
    made = [new_id().int for _ in range(2000)]
    fixed = {64, 65}  # the variant, counted from the left; before it is the part of a millisecond
    for bit in range(64, 128):
        ones = sum(each >> (127 - bit) & 1 for each in made)
        assert (ones in (0, 2000)) if bit in fixed else (700 < ones < 1300), bit


LINES = [
    ("Middlemarch", "Middlemarch"),
    ("  Middlemarch  ", "Middlemarch"),
    ("Ju\u0308rgen", "Jürgen"),
    ("\u212bngstro\u0308m", "Ångström"),
    ("図書館 📚 العربية", "図書館 📚 العربية"),
    ("فارسی\u200cها", "فارسی\u200cها"),
    ("x" * 500, "x" * 500),
]
NO_LINES = ["", "   ", "\t", "a\nb", "a\tb", "a\x00b", "a\x7fb", "a\x85b", "\ud800", "x" * 501]


@pytest.mark.parametrize(("typed", "kept"), LINES)
def test_a_line_is_kept_in_one_form(typed: str, kept: str) -> None:
    found = TypeAdapter(Line).validate_python(typed)
    assert found == kept
    assert unicodedata.is_normalized("NFC", found)


@pytest.mark.parametrize("typed", NO_LINES)
def test_what_is_no_line_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Line).validate_python(typed)


def test_both_ways_of_writing_an_accent_are_the_same_word() -> None:
    read = TypeAdapter(Line).validate_python
    assert read("Br\u00f6nte") == read("Bro\u0308nte")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("", ""), ("  a  ", "a"), ("a\nb\r\n\tc", "a\nb\r\n\tc"), ("u\u0308", "ü")],
)
def test_a_text_may_have_many_lines(typed: str, kept: str) -> None:
    assert TypeAdapter(Text).validate_python(typed) == kept


@pytest.mark.parametrize("typed", ["a\x00b", "\x1b[31m", "x" * 20_001, "\udfff"])
def test_what_is_no_text_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Text).validate_python(typed)


@pytest.mark.parametrize(
    ("typed", "good"),
    [
        ("book", True),
        ("A-1.b:c_d", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("", False),
        ("-a", False),
        ("a b", False),
        ("ä", False),
        ("a\n", False),
        ("a'b", False),
    ],
)
def test_a_code_is_plain(typed: str, good: bool) -> None:
    if good:
        assert TypeAdapter(Code).validate_python(typed) == typed
        return
    with pytest.raises(ValidationError):
        TypeAdapter(Code).validate_python(typed)


def test_an_instant_names_its_zone() -> None:
    read = TypeAdapter(Instant).validate_python
    assert read("2026-03-01T09:30:00Z") == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    assert read("2026-03-01T10:30:00+01:00") == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    with pytest.raises(ValidationError, match="Say the time zone"):
        read("2026-03-01T09:30:00")


@pytest.mark.parametrize(
    ("given", "good"),
    [
        ({"amount": 250}, True),
        ({"amount": -250, "currency": "USD"}, True),
        ({"amount": 2**63 - 1}, True),
        ({"amount": 1 - 2**63}, True),
        ({"amount": 2**63}, False),
        ({"amount": -(2**63)}, False),
        ({"amount": 2.5}, False),
        ({"amount": 1, "currency": "eur"}, False),
        ({"amount": 1, "currency": "EURO"}, False),
        ({"amount": 1, "cents": 1}, False),
        ({}, False),
    ],
)
def test_money_is_whole_minor_units_of_a_currency(given: dict[str, Any], good: bool) -> None:
    if good:
        assert Money.model_validate(given).currency == given.get("currency", "EUR")
        return
    with pytest.raises(ValidationError):
        Money.model_validate(given)


@pytest.mark.parametrize(
    ("amount", "good"),
    [(0, True), (10**9, True), (-(10**9), True), (10**9 + 1, False), (-(10**9) - 1, False)],
)
def test_what_is_typed_in_is_smaller_than_what_is_kept(amount: int, good: bool) -> None:
    read = TypeAdapter(Amount).validate_python
    if good:
        assert read({"amount": amount}) == Money(amount=amount)
        return
    with pytest.raises(ValidationError, match="At most 1000000000 minor units"):
        read({"amount": amount})


@given(st.lists(st.integers(-MOST_TYPED, MOST_TYPED), max_size=200), st.integers(1, 10**6))
def test_sums_of_what_is_typed_in_can_be_shown(amounts: list[int], times: int) -> None:
    read = TypeAdapter(Amount).validate_python
    total = sum(read({"amount": each}).amount for each in amounts) * times
    assert Money(amount=total).model_dump()["amount"] == total


def test_no_input_takes_more_money_than_can_be_added_up() -> None:
    checked = 0
    for each in classes(Input):
        for field in each.model_fields.values():  # type: ignore[attr-defined]
            if "Money" not in repr(field.rebuild_annotation()):
                continue
            checked += 1
            with pytest.raises(ValidationError, match="At most"):
                TypeAdapter(field.rebuild_annotation()).validate_python({"amount": 10**9 + 1})
    assert checked >= 8


def test_values_do_not_change_and_inputs_take_nothing_unknown() -> None:
    with pytest.raises(ValidationError):
        Money(amount=1).amount = 2  # type: ignore[misc]
    for each in classes(Input):
        assert each.model_config["extra"] == "forbid", each  # type: ignore[attr-defined]
    for each in [*classes(Input), *classes(Value)]:
        assert each.model_config["frozen"], each  # type: ignore[attr-defined]


def test_each_problem_has_a_code_of_its_own_made_of_its_name() -> None:
    found = classes(Problem)
    codes = {each.code: each for each in found}  # type: ignore[attr-defined]
    assert len(codes) == len(found)
    assert {name: Problem.all()[name] for name in codes} == codes
    for code, each in codes.items():
        assert code.replace("-", "") == each.__name__.lower()
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code)
        assert not each.__name__.endswith("Error")
        assert 400 <= each.status < 600  # type: ignore[attr-defined]


def test_all_problems_but_those_of_an_edge_are_in_contracts() -> None:
    """A problem of a use case that is defined elsewhere would be unknown to the neighbours."""
    for found in pkgutil.walk_packages(lendery.__path__, "lendery."):
        if ".migrations.versions" not in found.name and not found.name.endswith("__main__"):
            importlib.import_module(found.name)
    strange = [
        each.__module__
        for each in Problem.all().values()
        if each.__module__.startswith("lendery.")
        and not each.__module__.startswith(("lendery.contracts.", "lendery.web."))
        and not each.__module__.endswith(".routes")
    ]
    assert strange == []


def test_two_problems_cannot_share_a_code() -> None:
    with pytest.raises(TypeError, match="two problems share the code 'not-found'"):
        type("NotFound", (Problem,), {})


def test_a_problem_is_rebuilt_from_its_code() -> None:
    made = Problem.of("no-such-book", "There is no such book.", book_id="1")
    assert type(made) is catalog.NoSuchBook
    assert (made.status, made.detail, made.extra) == (
        404,
        "There is no such book.",
        {"book_id": "1"},
    )
    assert isinstance(made, base.NotFound)
    assert type(Problem.of("never-heard-of", "x")) is PeerFailed


EVENTS = {
    "accounts.PatronRegistered",
    "accounts.PatronChanged",
    "accounts.PatronRemoved",
    "catalog.BookAdded",
    "catalog.BookChanged",
    "catalog.BookWithdrawn",
    "catalog.CopyAdded",
    "catalog.CopyChanged",
    "catalog.CopyRemoved",
    "circulation.ItemCheckedOut",
    "circulation.LoanRenewed",
    "circulation.ItemCheckedIn",
    "circulation.CopyFlagged",
    "circulation.HoldPlaced",
    "circulation.HoldChanged",
    "circulation.HoldSuspended",
    "circulation.HoldResumed",
    "circulation.HoldSentOn",
    "circulation.HoldReady",
    "circulation.HoldPutBack",
    "circulation.HoldFulfilled",
    "circulation.HoldCancelled",
    "circulation.HoldExpired",
    "circulation.CopyReleased",
    "circulation.TransferStarted",
    "circulation.TransferReceived",
    "circulation.FineCharged",
    "circulation.FinePaid",
    "circulation.FineWaived",
    "circulation.FineWrittenOff",
    "circulation.FineCancelled",
    "circulation.CreditRefunded",
}


def test_events_are_named_by_their_context_and_none_ever_disappears() -> None:
    found = {each.name for each in classes(Event)}  # type: ignore[attr-defined]
    assert found >= EVENTS
    for name in found:
        assert re.fullmatch(r"[a-z]+\.([A-Z][a-z]+)+", name)


def test_every_event_says_whose_order_it_keeps() -> None:
    for each in classes(Event):
        about = each.about  # type: ignore[attr-defined]
        assert each.model_fields[about].annotation is UUID, each  # type: ignore[attr-defined]


def test_no_event_has_a_field_that_could_hold_words_about_a_person() -> None:
    words = {"name", "email", "card_number", "note", "reason", "title", "text", "address"}
    for each in classes(Event):
        fields = set(each.model_fields)  # type: ignore[attr-defined]
        assert not fields & words, each
        if _is_of(each, circulation):
            assert "patron_id" not in fields, "a borrower token stands for the patron"


def test_an_event_is_loaded_as_what_it_was_and_new_fields_do_no_harm() -> None:
    happened = catalog.CopyChanged(at=datetime.now(UTC), copy_id=new_id(), book_id=new_id())
    body = {**happened.model_dump(mode="json"), "added_later": 1}
    loaded = Event.load("catalog.CopyChanged", body)
    assert loaded == happened
    assert (loaded.context, loaded.aggregate) == ("catalog", happened.copy_id)


def test_a_request_key_tells_senders_apart_without_naming_them() -> None:
    ann, ben = new_id(), new_id()
    made = [RequestKey.of("k", sender=who, asked=b"x") for who in (ann, ben, None)]
    assert len({each.scope for each in made}) == 3
    assert made[0] == RequestKey.of("k", sender=ann, asked=b"x")
    assert made[0].fingerprint != RequestKey.of("k", sender=ann, asked=b"y").fingerprint
    for each in made:
        assert str(ann) not in each.scope and ann.hex not in each.scope
        assert len(each.scope) <= 64 and len(each.fingerprint) <= 64
