"""Templates: what they can say, and that an error is found when they are written."""

from typing import Any

import pytest

from lendery.contracts.base import NotAllowed, Stale
from lendery.contracts.notices import (
    NoSuchTemplate,
    NoticeTemplate,
    TemplateKey,
    TemplateRefused,
    TemplateText,
)
from lendery.notices.built_in import TEMPLATES
from lendery.notices.built_in.samples import samples
from lendery.notices.built_in.spelling import spelled
from lendery.notices.rules.kinds import KINDS
from lendery.notices.templates import checked, filled, languages_of, worded
from tests.notices.conftest import ADA, ANN, LEA, NOW, Library

READY = TemplateKey(kind="hold-ready", language="en", medium="inbox")
DUE = TemplateKey(kind="due-soon", language="en", medium="email")
GOOD = TemplateText(subject="Ready", body="At {{ branch }}")


def body(text: str) -> TemplateText:
    return TemplateText(subject="Ready", body=text)


def test_every_kind_has_words_in_both_languages() -> None:
    expected = {
        (kind, language, medium)
        for kind in KINDS
        for language in ("en", "de")
        for medium in ("email", "inbox")
    } | {("digest", language, "email") for language in ("en", "de")}
    assert {(key.kind, key.language, key.medium) for key in TEMPLATES} == expected


@pytest.mark.parametrize("key", TEMPLATES, ids=lambda key: "-".join(key.model_dump().values()))
def test_the_words_built_in_stand_the_test_of_those_written(key: TemplateKey) -> None:
    checked(key, TEMPLATES[key])
    for sample in samples(key.kind, key.medium):
        shown = filled(TEMPLATES[key], spelled(sample, key.language))
        assert "None" not in shown.body + shown.subject and "{" not in shown.body
        assert "\n" not in shown.subject


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("{{ nme }}", 1, "There is no 'nme' here. There are: branch, expires_on, library"),
        ("a\nb\n{% if title %}{{ foo }}{% endif %}", 3, "There is no 'foo'"),
        ("{% if not title %}\n{{ foo }}{% endif %}", 2, "There is no 'foo'"),
        ("a\n{% if title %}", 2, "Unexpected end of template"),
        ("{{ branch ", 1, "Unexpected end of template"),
        ("{% endif %}", 1, "Encountered unknown tag 'endif'"),
        ("\n{{ title.foo }}", 2, "no attribute 'foo'"),
        ("{{ title.__class__ }}", 1, "no attribute '__class__'"),
        ("{{ title|attr('x') }}", 1, "No filter named 'attr'"),
        ("a\n{{ range(3) }}", 2, "A call is not allowed here."),
        ("{{ title.upper() }}", 1, "A call is not allowed here."),
        ("{{ 'a' * 1000000 }}", 1, "Mul is not allowed here."),
        ("{% set a = 1 %}", 1, "An assignment is not allowed here."),
        ("{% include 'x' %}", 1, "An include is not allowed here."),
        ("{% macro m() %}{% endmacro %}", 1, "A macro is not allowed here."),
        ("{{ title[0] }}", 1, "Getitem is not allowed here."),
        ("{% for a in title %}\n" * 3 + "{% endfor %}" * 3, 3, "No more than 2 loops"),
        pytest.param("{% for a in branch %}" * 300 + "{% endfor %}" * 300, 1, "", id="deep"),
        ("{{ branch|length|first }}", 1, "object is not iterable"),
        ("{% if 'x' < 1 %}{% endif %}", 1, "'<' not supported"),
    ],
)
def test_an_error_is_told_with_its_line(text: str, line: int, says: str) -> None:
    for key in (READY, READY.model_copy(update={"medium": "email"})):
        with pytest.raises(TemplateRefused) as told:
            checked(key, body(text))
        assert (told.value.extra["field"], told.value.extra["line"]) == ("body", line)
        assert says in told.value.extra["says"]
        assert told.value.extra["errors"][0]["pointer"] == "#/body"


def test_what_may_be_missing_must_be_borne() -> None:
    each = "{% for item in items %}{% for letter in item.title %}.{% endfor %}{% endfor %}"
    with pytest.raises(TemplateRefused, match="NoneType"):
        checked(DUE, body(each))


def test_the_subject_is_checked_too_and_is_one_line() -> None:
    with pytest.raises(TemplateRefused) as told:
        checked(READY, TemplateText(subject="{{ x }}", body="x"))
    assert told.value.extra["field"] == "subject"
    shown = checked(READY, TemplateText(subject="{% if title %}\nBcc: eve{% endif %}", body="x"))
    assert shown.subject == "Bcc: eve"


def test_a_value_is_never_a_template_nor_markup() -> None:
    facts = {"branch": "{{ 7 }} <b>&"}
    assert filled(body("{{ branch }}"), facts).body == "{{ 7 }} <b>&\n"


@pytest.mark.parametrize(
    ("language", "facts", "says"),
    [
        ("en", {"due_on": "2026-03-02"}, "2 March 2026"),
        ("de", {"due_on": "2026-03-02"}, "2. März 2026"),
        ("de-AT", {"due_on": "2026-03-02"}, "2. März 2026"),
        ("fr", {"due_on": "2026-03-02"}, "2026-03-02"),
        ("en", {"x": {"amount": 350, "currency": "EUR"}}, "3.50 EUR"),
        ("de", {"x": {"amount": -5, "currency": "EUR"}}, "-0,05 EUR"),
        ("en", {"x": {"amount": 350, "currency": "JPY"}}, "350 JPY"),
        ("en", {"x": {"amount": 350, "currency": "KWD"}}, "0.350 KWD"),
        ("de", {"reason": "late"}, "verspätete Rückgabe"),
        ("fr", {"reason": "late"}, "late"),
        ("en", {"expires_on": None}, None),
    ],
)
def test_facts_are_spelled_in_the_language(language: str, facts: Any, says: str) -> None:
    assert next(iter(spelled(facts, language).values())) == says


def test_the_first_language_with_words_is_taken() -> None:
    assert languages_of(None, "de-AT", "fr") == ["de-AT", "de", "fr", "en"]
    french = {READY.model_copy(update={"language": "fr"}): body("Prêt")}
    facts = samples("hold-ready", "inbox")[0]
    for wanted, taken in (("fr", "fr"), ("de-AT", "de"), ("it", "en")):
        assert worded(french, "hold-ready", "inbox", languages_of(wanted), facts)[1] == taken


def test_words_that_fail_after_all_are_not_used() -> None:
    broken = {READY: body("{{ something_else }}")}
    shown, _ = worded(broken, "hold-ready", "inbox", ["en"], samples("hold-ready", "inbox")[0])
    assert "ready to be collected" in shown.body


async def _write(library: Library, text: TemplateText, **but: Any) -> NoticeTemplate:
    given: dict[str, Any] = {"key": READY, "actor": ADA, "now": NOW} | but
    return await library.templates.write(text=text, **given)


async def test_words_are_written_told_and_given_back(library: Library) -> None:
    before = await library.templates.get(key=READY, actor=LEA)
    assert (before.edited, before.version) == (False, 0)
    written = await _write(library, GOOD, version=0)
    assert (written.edited, written.version, written.changed_by) == (True, 1, ADA.id)
    assert await library.templates.get(key=READY, actor=LEA) == written
    assert len(await library.templates.all(actor=LEA)) == len(TEMPLATES)
    with pytest.raises(Stale):
        await _write(library, GOOD, version=0)
    await library.templates.reset(key=READY, actor=ADA, now=NOW)
    await library.templates.reset(key=READY, actor=ADA, now=NOW)
    assert await library.templates.get(key=READY, actor=LEA) == before
    names = sorted(row.name for row in await library.rows("event"))
    assert names == ["notices.TemplateReset", "notices.TemplateWritten"]


async def test_a_refusal_keeps_nothing(library: Library) -> None:
    with pytest.raises(TemplateRefused):
        await _write(library, body("{{ x }}"))
    with pytest.raises(NotAllowed):
        await _write(library, GOOD, actor=LEA)
    with pytest.raises(NotAllowed):
        await library.templates.preview(key=READY, text=GOOD, actor=ANN)
    no_digest = TemplateKey(kind="digest", language="en", medium="inbox")
    for key in (no_digest, READY.model_copy(update={"language": "fr"})):
        with pytest.raises(NoSuchTemplate):
            await library.templates.get(key=key, actor=LEA)
    with pytest.raises(NoSuchTemplate):
        await _write(library, GOOD, key=no_digest)
    assert await library.rows("template") == await library.rows("event") == []
