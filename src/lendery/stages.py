"""The stages that tell how Lendery grows, each started by one command: `lendery stage N`."""

import asyncio
import os
from datetime import UTC, datetime
from typing import Any

import typer
import uvicorn
from rich.console import Console

from lendery import cli
from lendery.demo.build import DemoLibrary
from lendery.main import TABLES, create_app, wire
from lendery.platform import logging
from lendery.platform import migrate as schema
from lendery.platform.settings import CONTEXTS, Settings

SMALL: dict[str, Any] = {"books": 2_000, "copies": 4_000, "readers": 120, "days": 90}
console = Console(stderr=True)


def start(number: int) -> None:
    """Runs a stage until it is interrupted."""
    starters = {1: in_memory, 2: one_file}
    if number not in starters:
        there_are = ", ".join(map(str, starters))
        console.print(f"Stage {number} is not built yet; there are {there_are}.")
        raise typer.Exit(1)
    starters[number]()


def in_memory() -> None:
    """Stage 1: one process, everything in memory, nothing kept."""
    chosen = cli.settings(database_url="sqlite://", workers=1)
    logging.set_up(chosen)
    asyncio.run(_serve_from_memory(chosen))


async def _serve_from_memory(chosen: Settings) -> None:
    wiring = wire(chosen)
    assert wiring.db.memory is not None
    schema.run_in_memory(wiring.db.memory, [c for c in CONTEXTS if c in TABLES])
    with cli.bars() as shown:
        today = datetime.now(UTC).date()
        await DemoLibrary(wiring, cli.Steps(shown), today, **SMALL).build()
    cli.print_log_ins(chosen)
    print("Stage 1: all of it in memory. Stop it and it is gone.", flush=True)
    config = uvicorn.Config(
        create_app(chosen, wiring),
        host=chosen.host,
        port=chosen.port,
        log_config=None,
        access_log=False,
        server_header=False,
    )
    await uvicorn.Server(config).serve()


def one_file() -> None:
    """Stage 2: one process, one file."""
    cli.demo(if_missing=True, books=None, copies=None, readers=800, days=730, seed=None)
    file = cli.settings().sqlite_file
    print(f"Stage 2: all of it in {file}. Stop it, start it again: everything is there.")
    os.environ["LENDERY_DEMO"] = "1"
    cli.serve(context=None, host=None, port=None, workers=None)
