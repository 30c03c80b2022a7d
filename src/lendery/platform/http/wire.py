"""A finished answer straight to the server's connection, in one write.

uvicorn looks at every header of every answer and writes head and body apart; for ten headers that
were looked at when the answer was made, this is a third of the time of a kept answer. Where
anything is not as expected (another server, an access log, a connection that will be closed or is
full), `open_cycle` gives None and the answer goes the ordinary way.
"""

from typing import Any

from starlette.types import Send

try:
    from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle
except ImportError:  # another server
    STATUS_LINE, RequestResponseCycle = {}, None  # type: ignore[assignment,misc]

Header = tuple[bytes, bytes]
END = b"\r\n\r\n"


def lines(headers: list[Header]) -> bytes:
    """Headers as they go over the wire, but for the last, whose value comes each time anew."""
    found = b"\r\n".join([name + b": " + value for name, value in headers])
    if found.count(b"\r\n") != len(headers) - 1 or b"\0" in found:
        raise ValueError("a header holds the end of a line")
    return found


class _Always:
    """What the server adds to each answer (the date), written out once a second."""

    def __init__(self) -> None:
        self.of: object = None
        self.status: dict[int, bytes] = {}

    def head(self, status: int, headers: list[Header]) -> bytes:
        if headers is not self.of:
            self.of, self.status = headers, {}
        found = self.status.get(status)
        if found is None:
            added = b"".join(b"%s: %s\r\n" % each for each in headers)
            found = self.status[status] = STATUS_LINE[status] + added
        return found


_always = _Always()


def open_cycle(send: Send) -> Any:
    """The server's side of this request, when the answer may go straight to it; else None."""
    cycle = getattr(send, "__self__", None)
    if (
        type(cycle) is RequestResponseCycle
        and cycle.keep_alive
        and not cycle.response_started
        and not cycle.disconnected
        and not cycle.access_log
        and not cycle.flow.write_paused
    ):
        return cycle
    return None


def write(cycle: Any, status: int, *parts: bytes) -> None:
    """The whole answer: `parts` are headers, the empty line, the body."""
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    cycle.transport.write(b"".join((_always.head(status, cycle.default_headers), *parts)))
    cycle.message_event.set()
    cycle.on_response()
