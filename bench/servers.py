"""Servers to be measured, each a process of its own on a free port of the loopback."""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.system import free_port

READY_WITHIN = 60.0
SETTINGS = {
    "LENDERY_REQUESTS_PER_MINUTE": "1000000000",
    "LENDERY_ACCESS_TOKEN_MINUTES": "60",
    "LENDERY_SECRET": "a secret for the bench, of more than 32 characters",
    "LENDERY_LOG_FORMAT": "json",
}


@dataclass
class Server:
    """A server that answers. `ready_after`: seconds from its start to its first /readyz."""

    port: int
    process: "subprocess.Popen[bytes]"
    log: Path
    ready_after: float = 0.0
    tokens: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, token: str = "") -> tuple[http.client.HTTPResponse, bytes]:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return self._ask("GET", path, headers=headers)

    def json(self, path: str, token: str = "") -> Any:
        answer, body = self.get(path, token)
        assert answer.status == 200, f"{path}: {answer.status} {body!r}"
        return json.loads(body)

    def token(self, who: tuple[str, str]) -> str:
        """Signs in, once for each person."""
        if who[0] not in self.tokens:
            form = {"grant_type": "password", "username": who[0], "password": who[1]}
            kind = {"content-type": "application/x-www-form-urlencoded"}
            path = "/api/v1/auth/token"
            answer, body = self._ask("POST", path, body=urlencode(form), headers=kind)
            assert answer.status == 200, body
            self.tokens[who[0]] = json.loads(body)["access_token"]
        return self.tokens[who[0]]

    def _ask(self, method: str, path: str, **more: Any) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, **more)
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def megabytes(self, line: str = "VmRSS") -> float:
        """Resident memory as Linux counts it; NaN elsewhere."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            return float("nan")
        found = next(each for each in status.read_text().splitlines() if each.startswith(line))
        return int(found.split()[1]) / 1024

    def wait(self, path: str, began: float) -> None:
        while True:
            if self.process.poll() is not None or time.perf_counter() - began > READY_WITHIN:
                raise SystemExit(f"A server did not start:\n{self.log.read_text()[-3000:]}")
            try:
                if self.get(path)[0].status == 200:
                    break
            except OSError:
                time.sleep(0.005)
        self.ready_after = time.perf_counter() - began

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def lendery(url: str, *arguments: str, port: int = 0, **settings: str) -> Iterator[Server]:
    """`lendery serve` on this database; settings without their prefix."""
    given = {f"LENDERY_{name}": value for name, value in settings.items()}
    given |= {"LENDERY_DATABASE_URL": url}
    with _running("lendery", "serve", *arguments, ready="/readyz", given=given, port=port) as it:
        yield it


@contextmanager
def bare(length: int) -> Iterator[Server]:
    """The limit: an ASGI application that answers everything with so many finished bytes."""
    with _running("bench.bare", str(length), ready="/", given={}) as server:
        yield server


@contextmanager
def watched(url: str) -> Iterator[Server]:
    """Lendery in a process whose event loop is watched (bench/stalls.py)."""
    given = {"LENDERY_DATABASE_URL": url}
    with _running("bench.stalls", "lendery", ready="/readyz", given=given) as server:
        yield server


@contextmanager
def watched_bare() -> Iterator[Server]:
    with _running("bench.stalls", "bare", ready="/", given={}) as server:
        yield server


@contextmanager
def _running(
    module: str, *arguments: str, ready: str, given: dict[str, str], port: int = 0
) -> Iterator[Server]:
    port = port or free_port()
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("LENDERY_")}
    environment = inherited | SETTINGS | given | {"LENDERY_PORT": str(port)}
    with tempfile.NamedTemporaryFile(prefix="lendery-bench-", suffix=".log") as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments], env=environment, stdout=log, stderr=log
        )
        server = Server(port, process, Path(log.name))
        try:
            server.wait(ready, began)
            yield server
        finally:
            server.stop()
