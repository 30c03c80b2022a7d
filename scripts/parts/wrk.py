"""wrk, the load generator of the benchmarks: it asks faster than any server of ours answers."""

import shutil
from pathlib import Path

from parts.yard import Yard


class Wrk:
    """A program that is only called; without it bench/ asks with a slower client of its own."""

    name = "wrk"
    variable = "LENDERY_TEST_WRK"
    packages: tuple[str, ...] = ("wrk",)
    otherwise = "wrk, the HTTP load generator"

    def find(self) -> Path | None:
        found = shutil.which("wrk")
        return Path(found) if found else None

    def start(self, yard: Yard) -> dict[str, str]:
        return {self.variable: str(self.find())}
