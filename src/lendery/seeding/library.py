"""The library at the other end: signing in, asking politely, waiting while it is busy or away."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import UUID

import httpx2

API = "/api/v1"
LONGEST_WAIT = 30.0  # seconds between two tries, unless the library asks for more
TRIES_OF_A_FAILURE = 3
AWAY = (502, 503, 504)


class Stopped(Exception):
    """Feeding cannot go on. Says why, for people."""


@dataclass(frozen=True)
class LogIn:
    """Who feeds: a log-in, which can be renewed, or a token as it is."""

    email: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


@dataclass
class RunningLibrary:
    """`patience` is how many seconds it may be away or too busy before feeding stops."""

    http: httpx2.AsyncClient
    log_in: LogIn
    patience: float = 120.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _token: str = ""
    _not_before: float = 0.0
    _signing_in: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def open(self) -> tuple[datetime, dict[str, UUID]]:
        """Signs in. Returns the library's own time, and the ids of its branches by code.

        Raises Stopped at once when nobody answers there.
        """
        try:
            await self._sign_in("")
            answer = await self.http.get(f"{API}/branches?limit=100", headers=self._headers())
        except httpx2.TransportError as error:
            raise Stopped(f"No Lendery answers at {self.http.base_url} ({_why(error)}).") from error
        if answer.status_code == 401:
            raise Stopped("The library does not accept this token.")
        if answer.status_code != 200:
            raise Stopped(f"{self.http.base_url} is no Lendery, or not well: {_says(answer)}")
        codes = {each["code"]: UUID(each["id"]) for each in answer.json()["items"]}
        return _server_time(answer), codes

    async def get(self, path: str) -> httpx2.Response:
        return await self._asked("GET", path, None, {})

    async def post(self, path: str, body: bytes, key: str) -> httpx2.Response:
        """Sent until there is an answer; the key sees to it that it happens once."""
        headers = {"content-type": "application/json", "idempotency-key": key}
        return await self._asked("POST", path, body, headers)

    async def _asked(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> httpx2.Response:
        give_up = self.clock() + self.patience
        failures, renewed = 0, False
        for tried in range(1_000_000):
            await self._our_turn()
            token = self._token
            why, asked_to_wait = "", 0.0
            try:
                answer = await self.http.request(
                    method, API + path, content=body, headers={**headers, **self._headers()}
                )
            except httpx2.TransportError as error:
                why = f"does not answer ({_why(error)})"
            else:
                if answer.status_code == 401 and not renewed:
                    renewed = True
                    await self._sign_in(token)
                    continue
                if answer.status_code in (401, 403):
                    raise Stopped(f"Not allowed to add books: {_says(answer)}")
                failures += answer.status_code == 500
                if not _again(answer.status_code, failures):
                    return answer
                why = f"is busy ({answer.status_code})"
                asked_to_wait = _retry_after(answer)
            until = self._wait_until(tried, asked_to_wait)
            if until > give_up:  # and nobody else begins to wait so long
                raise Stopped(f"The library {why}.")
            self._not_before = until
        raise AssertionError

    def _wait_until(self, tried: int, asked: float) -> float:
        """All who feed wait together: a busy library is not asked by the next one instead."""
        own = min(LONGEST_WAIT, 0.25 * 2.0 ** min(tried, 10)) * (0.5 + random.random() / 2)
        return max(self._not_before, self.clock() + max(asked, own))

    async def _our_turn(self) -> None:
        while (left := self._not_before - self.clock()) > 0:
            await self.sleep(left)

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._token}"}

    async def _sign_in(self, stale: str) -> None:
        """A new token, unless somebody else has one since. A log-in lives ten minutes."""
        async with self._signing_in:
            if self._token != stale:
                return
            if self.log_in.token:
                if stale:
                    raise Stopped("The token is no longer valid. Give a new one to go on.")
                self._token = self.log_in.token
                return
            form = {
                "grant_type": "password",
                "username": self.log_in.email,
                "password": self.log_in.password,
            }
            answer = await self.http.post(f"{API}/auth/token", data=form)
            if answer.status_code != 200:
                raise Stopped(f"{self.log_in.email} could not sign in: {_says(answer)}")
            self._token = answer.json()["access_token"]


def _again(status: int, failures: int) -> bool:
    if status == 500:
        return failures < TRIES_OF_A_FAILURE
    return status == 429 or status in AWAY


def _retry_after(answer: httpx2.Response) -> float:
    try:
        return max(0.0, float(answer.headers.get("retry-after", "0")))
    except ValueError:
        return 0.0


def _server_time(answer: httpx2.Response) -> datetime:
    """Without fractions, so never later than what it does next."""
    told = answer.headers.get("date")
    return parsedate_to_datetime(told) if told else datetime.now(UTC).replace(microsecond=0)


def problem(answer: httpx2.Response) -> dict[str, Any]:
    """What a refusal says, with its `code`."""
    try:
        said = answer.json()
    except ValueError:
        return {}
    if not isinstance(said, dict):
        return {}
    return {**said, "code": str(said.get("type", "")).rpartition("/")[2].rpartition(":")[2]}


def _says(answer: httpx2.Response) -> str:
    return str(problem(answer).get("detail") or f"HTTP {answer.status_code}")


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__
