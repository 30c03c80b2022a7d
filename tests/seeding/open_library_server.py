"""A server on loopback that answers as Open Library does, from files; it notes what was asked."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

ANSWERS = Path(__file__).parents[1] / "data" / "open_library"
Refusal = tuple[int, dict[str, str], bytes]


@dataclass
class Replayed:
    """`refusals` are given, one each, before the answers."""

    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    @classmethod
    @contextmanager
    def serving(cls) -> Iterator["Replayed"]:
        replayed = cls()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, headers, body = replayed.answer(self.path, self.headers["user-agent"])
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        replayed.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield replayed
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def answer(self, path: str, agent: str) -> Refusal:
        parts = urlsplit(path)
        asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self.asked.append(asked)
        self.agents.append(agent)
        if self.refusals:
            return self.refusals.pop(0)
        if parts.path != "/search.json":
            return 404, {}, b"{}"
        name = "whales" if "whales" in asked["q"] else "nothing"
        told = json.loads((ANSWERS / f"{name}.json").read_text("utf-8"))
        limit, page = int(asked["limit"]), int(asked.get("page", 1))
        told["start"] = limit * (page - 1)
        told["docs"] = [
            {each: doc[each] for each in asked["fields"].split(",") if each in doc}
            for doc in told["docs"][told["start"] : told["start"] + limit]
        ]
        return 200, {"content-type": "application/json"}, json.dumps(told).encode()
