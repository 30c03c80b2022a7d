"""A statement's text is made once; what is bound is never part of it."""

from collections import Counter
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import bindparam, insert, select, update

from lendery.platform.db import Database, Statement, any_of, statement
from lendery.platform.db.statement import POSTGRES, SQLITE, Compiled, joined

from .toy import COUNT, WRITE, note, write

BY_SHELF = Statement(select(note.c.text).where(note.c.shelf == bindparam("s")).limit(5))


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRES], ids=["sqlite", "postgres"])
def test_a_kept_statement_is_compiled_once_for_each_database(
    dialect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: Counter[str] = Counter()

    class Counted(Compiled):
        def __init__(self, *given: Any) -> None:
            made[given[1].name] += 1
            super().__init__(*given)

    monkeypatch.setattr(statement, "Compiled", Counted)
    kept = Statement(select(note.c.text).where(note.c.shelf == bindparam("s")))
    texts = {kept.compiled(dialect).bind({"s": name})[0] for name in ("a", "b", "a'; DROP")}
    assert made == {dialect.name: 1}
    assert len(texts) == 1


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRES], ids=["sqlite", "postgres"])
def test_what_people_typed_is_bound_and_never_text(dialect: Any) -> None:
    typed = "x'; DROP TABLE toy_note; --"
    for query in (
        select(note.c.text).where(note.c.text == typed),
        select(note.c.text).where(note.c.text.in_([typed])),
        update(note).values(text=typed),
        insert(note).values(id=uuid4(), text=typed),
    ):
        text, values = Compiled(query, dialect).bind({})
        assert "DROP" not in text
        assert typed in values


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRES], ids=["sqlite", "postgres"])
@pytest.mark.parametrize("size", [0, 1, 300])
def test_any_of_has_one_text_whatever_the_length(dialect: Any, size: int) -> None:
    query = Statement(select(note.c.text).where(any_of(note.c.id, "ids")))
    text, values = query.compiled(dialect).bind({"ids": [uuid4() for _ in range(size)]})
    assert text == query.compiled(dialect).sql
    assert len(values) == 1


def test_a_fixed_value_beside_a_named_one_is_bound_too() -> None:
    text, values = BY_SHELF.compiled(POSTGRES).bind({"s": "a"})
    assert "$1" in text and "$2" in text
    assert sorted(values, key=str) == [5, "a"]


def test_a_parameter_left_out_is_an_error_and_not_null() -> None:
    with pytest.raises(Exception, match=r"s"):
        values = BY_SHELF.compiled(SQLITE).bind({})[1]
        assert None not in values, f"bound {values}"


def test_joined_writes_number_their_parameters_on() -> None:
    texts = Statement(update(note).where(note.c.shelf == bindparam("s")).values(text="$2 says"))
    given = {"id": uuid4(), "shelf": "a", "place": 1, "text": "$1"}
    text, values = joined([(WRITE, given), (texts, {"s": "b"}), (WRITE, {**given, "text": "z"})])
    assert text.count("INSERT") == 1 and text.startswith("WITH w0 AS (")  # two rows, one insert
    numbers = sorted({int(part.split(":")[0].strip("),")) for part in text.split("$")[1:]})
    assert numbers == list(range(1, len(values) + 1)) == list(range(1, 11))
    assert values[3] == "$1" and values[7] == "z" and values[-1] == "b"


async def test_one_write_alone_is_not_wrapped(sqlite: Database) -> None:
    given = {"id": uuid4(), "shelf": "a", "place": 1, "text": "$1"}
    assert joined([(WRITE, given)])[0] == WRITE.compiled(POSTGRES).sql
    async with sqlite.begin() as tx:
        await write(tx, "one")
        assert await tx.value(COUNT) == 1
