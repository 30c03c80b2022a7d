"""A SQLAlchemy Core statement, compiled once per dialect, for the bare driver.

SQLAlchemy stays the language (names checked, values always bound, two dialects from one
text); its engine, result and unit-of-work layers are what a hot path cannot afford.
"""

import json
import re
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Dialect, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement, Executable
from sqlalchemy.sql.cache_key import CacheKey
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

SQLITE: Dialect = sqlite.dialect(paramstyle="qmark")
POSTGRES: Dialect = PGDialect_asyncpg()  # type: ignore[no-untyped-call]

Process = Callable[[Any], Any]
PLACE = re.compile(r"\$(\d+)")
ONE_ROW = re.compile(r"(?P<head>INSERT INTO [^$]* VALUES )(?P<row>\(.*\))(?P<tail> RETURNING .*)?")


class Compiled:
    """SQL text for one dialect, how to bind its parameters, how to read its rows."""

    def __init__(
        self, statement: Executable, dialect: Dialect, cache_key: CacheKey | None = None
    ) -> None:
        assert isinstance(statement, ClauseElement)
        compiled = statement.compile(dialect=dialect, cache_key=cache_key)
        assert isinstance(compiled, SQLCompiler)
        self._compiled = compiled
        self.expands = bool(compiled.post_compile_params)
        self.sql = compiled.string
        self.names: Sequence[str] = compiled.positiontup or ()
        self.defaults = {} if self.expands else dict(compiled.construct_params(_check=False))
        self._bind: Mapping[str, Process] = {
            key: process for key, process in compiled._bind_processors.items() if callable(process)
        }
        self.row, self._read = _row_type(compiled, dialect)
        self.read: Callable[[Sequence[Any]], Any] = self._converted
        if not self._read and isinstance(self.row, type):
            self.read = partial(tuple.__new__, self.row)  # as it stands

    def like(self, cache_key: CacheKey) -> "Compiled":
        """The same text, with the values of another statement that differs in nothing else."""
        other = copy(self)
        other.defaults = dict(
            self._compiled.construct_params(extracted_parameters=cache_key.bindparams, _check=False)
        )
        return other

    def bind(self, given: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """The text and its parameters in order."""
        if self.expands:
            return self._bind_expanding(given)
        defaults, processors = self.defaults, self._bind
        values = []
        for name in self.names:
            value = given[name] if name in given else defaults[name]
            process = processors.get(name)
            values.append(process(value) if process else value)
        return self.sql, values

    def _bind_expanding(self, given: Mapping[str, Any]) -> tuple[str, list[Any]]:
        state = self._compiled.construct_expanded_state({**self.defaults, **given})
        processors: dict[str, Any] = {**self._bind, **state.processors}
        values = []
        for name in state.positiontup or ():
            value = state.parameters[name]
            process = processors.get(name)
            values.append(process(value) if callable(process) else value)
        return state.statement, values

    def _converted(self, raw: Sequence[Any]) -> Any:
        values = list(raw)
        for index, process in self._read:
            if values[index] is not None:
                values[index] = process(values[index])
        return self.row(*values)


def _row_type(
    compiled: SQLCompiler, dialect: Dialect
) -> tuple[Callable[..., Any], list[tuple[int, Process]]]:
    names, processes = [], []
    for index, entry in enumerate(compiled._result_columns):
        name = entry.keyname or ""
        names.append(name if name.isidentifier() else f"column_{index}")
        process = _result_process(entry.type, dialect)
        if process:
            processes.append((index, process))
    if not names:
        return tuple_of, []
    return namedtuple("Row", names, rename=True), processes


def _result_process(kind: TypeEngine[Any], dialect: Dialect) -> Process | None:
    process: Process | None = kind._cached_result_processor(dialect, None)
    return process


def tuple_of(*values: Any) -> tuple[Any, ...]:
    return values


class Rows:
    """Rows for one table, as a bulk load takes them: the same columns in each."""

    def __init__(self, columns: Sequence[Any], dialect: Dialect) -> None:
        self.names = [each.name for each in columns]
        made = [each.type._cached_bind_processor(dialect) for each in columns]
        self._bind = [(at, process) for at, process in enumerate(made) if process]

    def values(self, row: Mapping[str, Any]) -> list[Any]:
        values = [row[name] for name in self.names]
        for at, process in self._bind:
            values[at] = process(values[at])
        return values


class Statement:
    """A statement kept at module level, so that its text is made once.

    Parameters are named with `bindparam` and given at the call: `tx.row(LOAN, id=loan_id)`.
    """

    def __init__(self, statement: Executable) -> None:
        self.statement = statement
        self._compiled: dict[str, Compiled] = {}

    def compiled(self, dialect: Dialect) -> Compiled:
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = Compiled(self.statement, dialect)
        return found


def compiled(statement: Statement | Executable, dialect: Dialect) -> Compiled:
    if isinstance(statement, Statement):
        return statement.compiled(dialect)
    return _like_before(statement, dialect)


_before: OrderedDict[tuple[str, Any], Compiled] = OrderedDict()
REMEMBERED = 500


def _like_before(statement: Executable, dialect: Dialect) -> Compiled:
    """A statement built for one call: compiled once for all that differ in their values only."""
    key = statement._generate_cache_key() if isinstance(statement, ClauseElement) else None
    if key is None:
        return Compiled(statement, dialect)
    place = dialect.name, key.key
    found = _before.get(place)
    if found is None:
        found = _before[place] = Compiled(statement, dialect, key)
        if len(_before) > REMEMBERED:
            _before.popitem(last=False)
    return found.like(key)


def joined(parts: Sequence[tuple[Statement, Mapping[str, Any]]]) -> tuple[str, list[Any]]:
    """Several writes as one PostgreSQL statement: all but the last as CTEs.

    CTEs are done in no order that PostgreSQL promises. So rows for one table (events, lines of
    a ledger) are put into one INSERT: they get their numbers in the order they are given.
    """
    kinds: dict[Statement, list[Mapping[str, Any]]] = {}
    for statement, given in parts:
        kinds.setdefault(statement, []).append(given)
    bound = [each.compiled(POSTGRES).bind(row) for each, rows in kinds.items() for row in rows]
    values = [value for _, row in bound for value in row]
    if any(each.compiled(POSTGRES).expands for each in kinds):
        return _with(text for text, _ in bound), values
    return _joined_before(tuple((each, len(rows)) for each, rows in kinds.items())), values


@lru_cache(maxsize=REMEMBERED)
def _joined_before(kinds: tuple[tuple[Statement, int], ...]) -> str:
    return _with(
        text for each, times in kinds for text in _several(each.compiled(POSTGRES).sql, times)
    )


def _several(text: str, times: int) -> list[str]:
    """The same write several times: an INSERT of one row becomes one of so many."""
    row = ONE_ROW.fullmatch(text)
    if row is None or times == 1 or " ON CONFLICT " in text:
        return [text] * times
    width = _places(text)
    rows = ", ".join(_shifted(row["row"], n * width) for n in range(times))
    return [f"{row['head']}{rows}{row['tail'] or ''}"]


def _with(texts: Iterable[str]) -> str:
    """The texts as one, their parameters numbered through."""
    numbered: list[str] = []
    shift = 0
    for text in texts:
        numbered.append(_shifted(text, shift))
        shift += _places(text)
    head = ", ".join(f"w{index} AS ({text})" for index, text in enumerate(numbered[:-1]))
    return f"WITH {head} {numbered[-1]}" if head else numbered[-1]


def _shifted(text: str, by: int) -> str:
    return PLACE.sub(lambda hit: f"${int(hit[1]) + by}", text)


def _places(text: str) -> int:
    return len(set(PLACE.findall(text)))


class _AnyOf(ColumnElement[bool]):
    """`column` is one of a list given as one parameter: one text whatever the length."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        self.column = column
        self.json = column.in_(
            select(func.json_each(bindparam(name, type_=_JsonIds())).table_valued("value").c.value)
        )
        self.array = column == func.any(bindparam(name, type_=postgresql.ARRAY(column.type)))


class _JsonIds(TypeEngine[Any]):
    """A list of ids or strings as the JSON text that SQLite's json_each takes."""

    __visit_name__ = "TEXT"

    def bind_processor(self, dialect: Dialect) -> Process:
        def process(values: Sequence[Any]) -> str:
            return json.dumps([each.hex if isinstance(each, UUID) else each for each in values])

        return process


@compiles(_AnyOf, "sqlite")
def _(element: _AnyOf, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.json, **options)


@compiles(_AnyOf, "postgresql")
def _(element: _AnyOf, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.array, **options)


def any_of(column: Any, name: str) -> ColumnElement[bool]:
    """`column` IN the list bound as `name`."""
    return _AnyOf(column, name)
