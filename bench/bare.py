"""The limit of reads: finished bytes from an ASGI function, served as Lendery is served.

python -m bench.bare LENGTH        LENDERY_PORT says where
"""

import sys
from typing import Any
from unittest import mock

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from lendery import cli
from lendery.platform.settings import Settings


def finished(length: int) -> ASGIApp:
    """Answers everything with so many bytes."""
    body = b"x" * length
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(length).encode()),
    ]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    return app


def serve(app: ASGIApp) -> None:
    """With the very settings that `lendery serve` gives to uvicorn, whatever they are today."""
    run = uvicorn.run

    def with_this(_: str, *, factory: bool, **settings: Any) -> None:
        run(app, **{**settings, "lifespan": "auto"})

    with mock.patch("uvicorn.run", with_this):
        cli._uvicorn(Settings())


if __name__ == "__main__":
    serve(finished(int(sys.argv[1])))
