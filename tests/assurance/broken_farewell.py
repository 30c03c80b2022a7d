"""A Lendery that must be caught: told to stop, it drops what it is doing.

`python -m tests.assurance.broken_farewell serve`. Else it has ten seconds to finish.
"""

from typing import Any

import uvicorn

from lendery.cli import main

patient = uvicorn.run


def at_once(app: Any, **options: Any) -> None:
    patient(app, **options | {"timeout_graceful_shutdown": 0})


if __name__ == "__main__":
    uvicorn.run = at_once
    main()
