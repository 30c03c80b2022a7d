"""A finished answer straight to the server's connection."""

from starlette.types import Send

Header = tuple[bytes, bytes]


def straight(send: Send, status: int, headers: list[Header], body: bytes) -> bool:
    return False
