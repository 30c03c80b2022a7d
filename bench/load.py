"""Who asks: `wrk` in a process of its own with 8 keep-alive connections.

Where wrk is missing a small client of ours takes its place (`python -m bench.client`). It may be
slower than the server it measures, so the ratios of the fastest paths come out too good.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 8
LUA = Path(__file__).with_name("requests.lua")


@dataclass(frozen=True)
class Run:
    """What a load told. `refused` counts answers of 400 and above; p50 and p99 in ms."""

    requests: int
    seconds: float
    refused: int
    broken: int
    p50: float
    p99: float

    @property
    def per_second(self) -> float:
        return (self.requests - self.refused) / self.seconds


def request(
    path: str, token: str = "", *, body: str = "", kind: str = "application/json", **headers: str
) -> bytes:
    """A request as it goes over the wire; with a body it is a POST."""
    lines = [f"{'POST' if body else 'GET'} {path} HTTP/1.1", "host: lendery"]
    lines += [f"authorization: Bearer {token}"] if token else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += [f"content-type: {kind}", f"content-length: {len(body.encode())}"] if body else []
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def wrk() -> str | None:
    return os.environ.get("LENDERY_TEST_WRK") or shutil.which("wrk")


def generator() -> str:
    """The name of who asks, for the record."""
    return "wrk" if wrk() else "a small asyncio client of ours (wrk is missing)"


def drive(port: int, requests: Sequence[bytes], seconds: int) -> Run:
    """So many seconds of these requests, in their order and round again."""
    with tempfile.NamedTemporaryFile(prefix="lendery-bench-") as file:
        file.writelines(_framed(requests))
        file.flush()
        done = subprocess.run(
            _command(port, file.name, seconds), capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise SystemExit(f"The load failed: {done.stderr or done.stdout}")
    told = Run(**json.loads(done.stdout.strip().splitlines()[-1]))
    if told.broken > 8 or not told.requests:
        raise SystemExit(f"The load broke off: {told}")
    return told


def _command(port: int, file: str, seconds: int) -> list[str]:
    if program := wrk():
        how = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", str(LUA)]
        return [program, *how, f"http://127.0.0.1:{port}", "--", file]
    return [sys.executable, "-m", "bench.client", str(port), file, str(seconds)]


def _framed(requests: Iterable[bytes]) -> Iterable[bytes]:
    for each in requests:
        yield b"%d\n" % len(each)
        yield each
