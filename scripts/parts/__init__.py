"""What `scripts/services` can start or find. A new part is a class here and a line in PARTS."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from parts.postgres import Pgbench, Postgres
from parts.rabbitmq import RabbitMQ
from parts.redis import Redis
from parts.wrk import Wrk
from parts.yard import Yard


class Part(Protocol):
    """Something tests need: where it is found, how Debian calls it, how it is started.

    `start` returns the variables that lead to it. A program that is only called, such as pgbench,
    starts nothing and returns its path.
    """

    name: str
    variable: str  # when it is set already, nothing is started
    packages: tuple[str, ...]
    otherwise: str  # what to install where there is no apt-get

    def find(self) -> Path | None: ...
    def start(self, yard: Yard) -> dict[str, str]: ...


PARTS: Mapping[str, Part] = {
    part.name: part for part in (Postgres(), Redis(), RabbitMQ(), Pgbench(), Wrk())
}
