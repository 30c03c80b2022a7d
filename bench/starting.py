"""P9: from start to ready, resident memory, and which imports the start is spent on."""

import re
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from tests.system import free_port

from bench import load, servers
from bench.figures import Cost
from bench.library import ANN, LEA, WORDS, Library, card
from bench.servers import Server

DEMO = Path("var/lendery.db")
CONTEXTS = ("accounts", "catalog", "circulation", "notices", "reports", "reviews", "web")
MIXED = 2_000
IMPORTED = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| +([\w.]+)")


def measure(library: Library, folder: Path, rounds: int) -> list[Cost]:
    url, name = library.at(folder / "start.db"), "bench library"
    if DEMO.exists():
        url, name = f"sqlite:///{DEMO}", "demo library"
    start = Cost("P9", f"start to ready, warm, {name}", "s", 1.5)
    ready = Cost("P9", f"resident when ready, {name}", "MB", 120)
    used = Cost("P9", f"resident after {MIXED:,} requests, bench library", "MB", 120)
    for number in range(rounds + 1):
        with servers.lendery(url) as server:
            if number:  # the first one warms the disk
                start.seen.append(server.ready_after)
                ready.seen.append(server.megabytes())
    with servers.lendery(library.at(folder / "used.db")) as server:
        _use(server, mixed(server, server, library))
        used.seen.append(server.megabytes())
        used.remarks.append(f"{server.megabytes('RssAnon'):.0f} MB of it its own, not mapped files")
    start.remarks.append("spent on importing: " + imports())
    return [start, ready, used, *_services(library, folder)]


def _services(library: Library, folder: Path) -> list[Cost]:
    """Each context as a service of its own, the others running beside it."""
    found = []
    with ExitStack() as running:
        services = _start_services(library, folder, running)
        asked = mixed(services["accounts"], services["accounts"], library)
        for context, server in services.items():
            cost = Cost("P9", f"resident, {context} as a service, ready", "MB", 90)
            cost.seen.append(server.megabytes())
            _use(server, asked)  # it answers what is its own, and refuses the rest
            used = Cost("P9", f"resident, {context} after {MIXED:,} requests", "MB", 90)
            used.seen.append(server.megabytes())
            found += [cost, used]
    return found


def _start_services(library: Library, folder: Path, running: ExitStack) -> dict[str, Server]:
    ports = {context: free_port() for context in CONTEXTS}
    peers = {f"PEERS__{c.upper()}": f"http://127.0.0.1:{ports[c]}" for c in CONTEXTS}
    return {
        context: running.enter_context(
            servers.lendery(
                library.at(folder / f"{context}.db"),
                "--context",
                context,
                port=ports[context],
                **{name: url for name, url in peers.items() if not name.endswith(context.upper())},
            )
        )
        for context in CONTEXTS
    }


def mixed(server: Server, signs_in: Server, library: Library) -> list[bytes]:
    """What a quiet day asks for: records, searches, people, loans, and a page for readers."""
    ann, lea = signs_in.token(ANN), signs_in.token(LEA)
    asked = []
    for number in range(MIXED // 5):
        word = WORDS[number % len(WORDS)]
        asked += [
            load.request(f"/api/v1/books/{library.books[number % len(library.books)]}", ann),
            load.request(f"/api/v1/books?q={word}", ann),
            load.request(f"/api/v1/copies/{library.copies[number]}", ann),
            load.request(f"/api/v1/users?card_number={card(number)}", lea),
            load.request("/api/v1/loans?limit=20", lea) if number % 2 else load.request("/", ann),
        ]
    return asked


def _use(server: Server, requests: list[bytes]) -> None:
    seen = 0
    while seen < MIXED:
        seen += load.drive(server.port, requests, 1).requests


def imports(top: int = 10) -> str:
    """The packages whose modules take longest to import, in ms, without what they import."""
    command = [
        sys.executable,
        "-X",
        "importtime",
        "-c",
        "import lendery.cli, lendery.main, uvicorn",
    ]
    runs: list[Counter[str]] = []
    for _ in range(3):
        told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
        taken: Counter[str] = Counter()
        for own, _, module in IMPORTED.findall(told):
            taken[module.split(".")[0]] += int(own)
        runs.append(taken)
    ranked = {name: median(run[name] for run in runs) for name in runs[0]}
    first = sorted(ranked, key=lambda name: -ranked[name])[:top]
    listed = ", ".join(f"{name} {ranked[name] / 1000:.0f}" for name in first)
    return f"{listed}; all {sum(ranked.values()) / 1000:.0f} ms"
