"""The files that pages ask for: read once, named after their content, kept by browsers for good."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.base import NotFound

FOLDER = Path(__file__).parent / "static"
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    url: str
    kind: str
    body: bytes
    packed: bytes


class Assets:
    """`url("desk.js")` is `/static/desk.<digest>.js`: a changed file has another address."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._by_name = {
            path.name: _asset(path) for path in sorted(folder.iterdir()) if path.suffix in KINDS
        }
        self._by_url = {each.url: each for each in self._by_name.values()}

    def url(self, name: str) -> str:
        return self._by_name[name].url

    async def answer(self, request: Request) -> Response:
        asset = self._by_url.get(request.url.path)
        if asset is None:
            raise NotFound("There is no such file.")
        headers = {"cache-control": FOR_GOOD, "vary": "accept-encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
            return Response(asset.packed, headers=headers, media_type=asset.kind)
        return Response(asset.body, headers=headers, media_type=asset.kind)


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    digest = hashlib.sha256(body).hexdigest()[:12]
    url = f"/static/{path.stem}.{digest}{path.suffix}"
    return Asset(url, KINDS[path.suffix], body, gzip.compress(body, 9, mtime=0))
