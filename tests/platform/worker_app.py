"""`python -m tests.platform.worker_app PORT`: two workers that answer who they are."""

import os
import sys
from typing import Any

import uvicorn

from lendery.platform.http.workers import serve_by_workers

PATIENCE = 60  # seconds that the supervisor waits for a worker to say that it is well


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
        return
    while (await receive())["type"] == "lifespan.startup":
        how = "failed" if os.environ.get("WORKER_APP_FAILS") else "complete"
        await send({"type": f"lifespan.startup.{how}"})
    await send({"type": "lifespan.shutdown.complete"})


if __name__ == "__main__":
    chosen = uvicorn.Config(
        "tests.platform.worker_app:app",
        port=int(sys.argv[1]),
        workers=2,
        log_level="warning",
        timeout_worker_healthcheck=PATIENCE,
    )
    sys.exit(serve_by_workers(chosen))
