"""Behind the layers: a hot path asked for in an unusual way, or for the first time."""

from starlette.types import ASGIApp, Receive, Scope, Send

from lendery.contracts.base import Problem
from lendery.platform.http import problems
from lendery.platform.http.answers import matches
from lendery.platform.http.hot import HotAnswers


class FastPath:
    def __init__(self, app: ASGIApp, answers: HotAnswers) -> None:
        self.app, self.answers = app, answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        try:
            found = await self.answers.find(scope["path"], scope["query_string"])
        except Problem as problem:  # no router stands behind this to turn it into an answer
            await problems.answer(problem, scope["path"])(scope, receive, send)
            return
        if found is None:
            await self.app(scope, receive, send)
            return
        scope["state"]["route"] = found.hot.route
        status, headers, body = 200, found.headers, found.finished.body
        for name, value in scope["headers"]:
            if name == b"if-none-match":
                if matches(value.decode("latin-1"), found.finished.etag.decode()):
                    status, headers, body = 304, found.not_modified, b""
                break
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await send({"type": "http.response.body", "body": body})
