"""A browser without JavaScript: keeps cookies, reads pages, fills in forms."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import httpx2

PASSWORD = "correct horse battery"
ORIGIN = "http://library.test"


class Page(HTMLParser):
    """What a browser makes of an answer: elements, forms, words."""

    def __init__(self, response: httpx2.Response) -> None:
        super().__init__()
        self.response = response
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(response.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    @property
    def token(self) -> str:
        return self.value("token")

    def value(self, name: str) -> str:
        """Of the last field with this name: the page's own form, not the header's."""
        return [a.get("value", "") for t, a in self.elements if a.get("name") == name][-1]

    def buttons(self, begins: str) -> list[str]:
        return [
            a["value"]
            for t, a in self.elements
            if t == "button" and a.get("value", "").startswith(begins)
        ]


@dataclass
class Browser:
    """A person at a browser: keeps cookies, fills in forms."""

    client: httpx2.AsyncClient

    async def see(self, path: str, **headers: str) -> Page:
        return Page(await self.client.get(path, headers={"accept": "text/html"} | headers))

    async def send(self, path: str, given: dict[str, Any], **headers: str) -> Page:
        sent = {"accept": "text/html", "origin": ORIGIN} | headers
        return Page(await self.client.post(path, data=given, headers=sent))

    async def fill(self, path: str, given: dict[str, Any], to: str | None = None) -> Page:
        """Opens a page and sends its form."""
        page = await self.see(path)
        return await self.send(to or path, {"token": page.token} | given)

    async def sign_in(self, email: str, password: str = PASSWORD) -> Page:
        return await self.fill("/sign-in", {"email": email, "password": password, "next": ""})
