"""A Lendery that must be caught: told to stop, it hangs up on whoever waits for an answer.

`python -m tests.assurance.broken_farewell serve`. What they asked for it does all the same.
"""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lendery.cli import main


def hang_up(connection: HttpToolsProtocol) -> None:
    connection.transport.abort()


if __name__ == "__main__":
    HttpToolsProtocol.shutdown = hang_up  # type: ignore[method-assign]
    main()
