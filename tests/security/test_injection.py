"""Every parameter of every read, with what attackers type: never a 5xx, never more rows.

Most of the list carries a word that stands nowhere in the catalogue, so any row that comes back
is one row too many. What carries none may find as much as the bare list has, and no more.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx2

from tests.security.cast import ADMIN, Cast, Things
from tests.security.conftest import openapi
from tests.stories.library import expect
from tests.system import Client, System

NOWHERE = "zqxjkv"
WITH_A_WORD = (
    "{}' OR '1'='1",
    '{}" OR "1"="1',
    "{}' OR 1=1 --",
    "{}'; DROP TABLE catalog_book; --",
    "{}') UNION SELECT * FROM accounts_user --",
    "{}\\' OR 1=1 --",
    "{} ASC, (SELECT 1/0)",
    "{}; SELECT pg_sleep(5)",
    "{}' AND randomblob(100000000) --",
    '"{}',
    '"{}" NOT "zq"',
    "-{} AND zq",
    "title:{}",
    "{{title isbn}}: {}",
    "^{} + zq",
    "NEAR({} zq, 10)",
    "{} & !zq | (zq",
    "{}:*A <-> zq",
    "'{}':ABCD & ''",
    "<{}>",
    "{}%' ESCAPE '%",
    "{{{{7*7}}}} {}",
    "${{7*7}} {}",
    "<script>alert('{}')</script>",
    '{{"$ne": "{}"}}',
    '["{}"]',
    "{}\u202e\u200b",
    "{}\uff07 OR \uff071\uff07=\uff071",
    "{}\u02bc OR 1=1",
    "\U0001f4da{}",
    "../../{}",
    "{}\r\nset-cookie: a=b",
)
BARE = (
    "'", '"', "''", "`", "\\", ";", "--", "/*", "%", "_", "*", "?", "(", ")", "((((", ":", "&", "!",
    "|", "<->", "^", "-", "+", "~", "OR", "NOT", "AND", "NEAR", "' OR '1'='1", "* OR *", "[]", "{}",
    "[[]]", "1e308", "-98765432", "9" * 400, "0x10", "NaN", "Infinity", "null", "undefined",
    "a" * 60_000, "'" * 2000, '"' * 499, "(" * 499, "a " * 249, "\u0301", "\ufeff", "\0",
)  # fmt: skip
RAW = ("%00", "a%00b", "%FF%FE", "%ED%A0%80", "%C0%A7", "%", "%zz", "a%26b=c", "%0d%0aa:b", "+")


# What is typed, as it stands in a URL, and whether it carries the word.
ATTEMPTS = [
    *[(quote(each.format(NOWHERE), safe=""), True) for each in WITH_A_WORD],
    *[(quote(each, safe=""), False) for each in BARE],
    *[(each, False) for each in RAW],
]
SLOW = 4.0  # seconds; an injected sleep would take longer


@dataclass(frozen=True)
class Read:
    """A read with one parameter to be bent; the others are as they should be."""

    path: str
    name: str
    required: dict[str, str]
    is_text: bool

    def url(self, typed: str) -> str:
        rest = "".join(f"&{name}={value}" for name, value in self.required.items())
        if f"{{{self.name}}}" in self.path:
            return self.path.replace(f"{{{self.name}}}", typed)
        return f"{self.path}?{self.name}={typed}{rest}"

    @property
    def unbent(self) -> str:
        rest = "&".join(f"{name}={value}" for name, value in self.required.items())
        return f"{self.path}?{rest}".rstrip("?")


def _reads(system: System, made: dict[str, str]) -> Iterator[Read]:
    for operation, document in openapi(system).items():
        method, path = operation.split()
        parameters = [p for p in document.get("parameters", ()) if p["in"] in ("path", "query")]
        for bent in parameters if method == "GET" else ():
            own, required = path, {}
            for other in parameters:
                value = made.get(other["name"], "mid")
                if other is bent:
                    continue
                own = own.replace(f"{{{other['name']}}}", value)
                if other["in"] == "query" and other.get("required"):
                    required[other["name"]] = value
            yield Read(own, bent["name"], required, _is_text(bent["schema"]))


def _is_text(schema: dict[str, Any]) -> bool:
    """What takes any text; all else is an id, a number, a flag or one of a few words."""
    kinds = [schema, *schema.get("anyOf", ())]
    return any(k.get("type") == "string" and not k.keys() & {"format", "enum"} for k in kinds)


NEEDED = ("loan_id", "branch_id", "calendar_id", "rule_id", "book_id", "author_id", "copy_id")


async def test_no_parameter_of_any_read_can_be_bent(system: System, cast: Cast) -> None:
    async with cast.client(ADMIN) as staff:
        things = Things(cast, staff)
        for title in ("Middlemarch", "A true story", "Emma"):
            await things.library.copy(await things.library.book(title, subjects=["Novels"]))
        for name in NEEDED:
            await things.get(name)
        bent, asked = [], 0
        for read in _reads(system, things.made):
            attempts = ATTEMPTS if read.is_text else ATTEMPTS[::7]
            asked += len(attempts)
            bent += await _bend(staff, read, attempts)
        assert bent == []
        assert asked > 2_500
        assert expect(await staff.get("/api/v1/books?limit=3"))["items"]  # and it all still stands


async def _bend(staff: Client, read: Read, attempts: Sequence[tuple[str, bool]]) -> list[str]:
    """What went wrong with this parameter."""
    fewest = _rows(await staff.get(read.url(NOWHERE)))
    most = _rows(await staff.get(read.unbent)) if "{" not in read.path else 0
    gate, wrong = asyncio.Semaphore(8), []

    async def attempt(typed: str, has_word: bool) -> None:
        async with gate:
            answer = await staff.get(read.url(typed))
        rows, seconds = _rows(answer), answer.elapsed.total_seconds()
        plain = answer.status_code in (200, 404, 422) and seconds < SLOW
        if not plain or rows > (fewest if has_word else most):
            told = f"{answer.status_code}, {rows} rows, {seconds} s: {answer.text[:200]}"
            wrong.append(f"{read.url(typed)[:200]} -> {told}")

    await asyncio.gather(*[attempt(*each) for each in attempts])
    return wrong


def _rows(answer: httpx2.Response) -> int:
    if answer.status_code != 200:
        return 0
    told = answer.json()
    return len(told.get("items", ())) if isinstance(told, dict) else 0
