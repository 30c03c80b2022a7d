"""P1 and P2: one book and a list of twenty over HTTP, against finished bytes of the same length.

Every request carries a reader's token, whom the rate limit counts. Cached ones ask for the same
thing again. Uncached ones (the cache switched off) ask for another book or page each time.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field

from bench import load, servers
from bench.figures import Rate
from bench.library import ANN, Library
from bench.servers import Server

PAGES = 200  # different pages of the list
# A header that comes twice is unusual: such a request goes through every layer.
LATE = {"x_twice": "1\r\nx-twice: 2"}


@dataclass
class Asked:
    """One kind of read: where, what, and the figure its rounds go into."""

    server: Server
    requests: list[bytes]
    figure: Rate


@dataclass
class Series:
    """Reads whose answers are alike in length, measured in turn with the bare answer."""

    limit: Server
    asked: list[Asked] = field(default_factory=list)

    def round(self, seconds: int) -> None:
        bare = load.drive(self.limit.port, self.asked[0].requests, seconds).per_second
        for each in self.asked:
            run = load.drive(each.server.port, each.requests, seconds)
            if run.refused:
                raise SystemExit(f"{each.figure.what}: {run.refused} answers were refusals")
            each.figure.add(run.per_second, bare)


def measure(libraries: list[Library], rounds: int, seconds: int) -> list[Rate]:
    with ExitStack() as open_servers:
        series = [one for library in libraries for one in _series(library, open_servers)]
        _warm(series)
        for _ in range(rounds):
            for one in series:
                one.round(seconds)
    return [each.figure for one in series for each in one.asked]


def _warm(series: list[Series]) -> None:
    """What is made once, statements above all, is made before anything counts."""
    mixed: dict[int, list[bytes]] = {}
    for one in series:
        for each in one.asked:
            mixed.setdefault(each.server.port, []).extend(each.requests[:20])
    for port, requests in mixed.items():
        load.drive(port, requests, 1)


def _series(library: Library, running: ExitStack) -> Iterator[Series]:
    cached = running.enter_context(servers.lendery(library.url))
    without = running.enter_context(servers.lendery(library.url, CACHE_ENTRIES="0"))
    where = f"on {library.database}"
    book, books = f"/api/v1/books/{library.books[0]}", "/api/v1/books?limit=20"
    many_books = [f"/api/v1/books/{each}" for each in library.books]
    pages = [books, *(f"{books}&cursor={cursor}" for cursor in _cursors(without, books))]

    one = Series(running.enter_context(_as_long_as(cached, book)))
    one.asked += [
        _asked(cached, [book], Rate("P1", f"cached book {where}", 0.80)),
        _asked(cached, [book], Rate("P1", f"cached book, 304, {where}", 1.0), tagged=True),
        _asked(without, many_books, Rate("P2", f"uncached book {where}", 0.20)),
        _asked(cached, [book], Rate("P2", f"cached book behind the layers, {where}", 0.30), **LATE),
    ]
    yield one
    listed = Series(running.enter_context(_as_long_as(cached, books)))
    listed.asked += [
        _asked(cached, [books], Rate("P1", f"cached list of 20 {where}", 0.80)),
        _asked(cached, [books], Rate("P1", f"cached list, 304, {where}", 1.0), tagged=True),
        _asked(without, pages, Rate("P2", f"uncached list of 20 {where}", 0.15)),
    ]
    yield listed
    copies = [f"/api/v1/copies/{each}" for each in library.copies[:2000]]
    routed = Series(running.enter_context(_as_long_as(cached, copies[0])))
    routed.asked += [
        _asked(cached, copies, Rate("P2", f"a copy, through the router, {where}")),
    ]
    yield routed


def _as_long_as(server: Server, path: str) -> AbstractContextManager[Server]:
    return servers.bare(len(server.get(path)[1]))


def _asked(
    server: Server, paths: list[str], figure: Rate, *, tagged: bool = False, **headers: str
) -> Asked:
    token = server.token(ANN)
    if tagged:
        headers["if_none_match"] = server.get(paths[0], token)[0].headers["etag"]
    return Asked(server, [load.request(path, token, **headers) for path in paths], figure)


def _cursors(server: Server, path: str) -> Iterator[str]:
    cursor = server.json(path)["next_cursor"]
    for _ in range(PAGES):
        if cursor is None:
            return
        yield cursor
        cursor = server.json(f"{path}&cursor={cursor}")["next_cursor"]
