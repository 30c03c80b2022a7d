"""The files that came from elsewhere, and how pages answer the odd question."""

import hashlib
import re

from lendery.web.assets import FOLDER
from lendery.web.pages import cleaned
from lendery.web.words import language_name

from .conftest import Library


def test_vendored_files_are_the_ones_written_down() -> None:
    listed = dict(
        re.findall(
            r"^\| `([^`]+)` .* ([0-9a-f]{64}) \|$", (FOLDER / "VENDORED.md").read_text(), re.M
        )
    )
    assert set(listed) == {"htmx.min.js", "pico.min.css"}
    for name, digest in listed.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest, name


def test_no_file_of_ours_asks_another_site() -> None:
    for path in (*FOLDER.glob("*.js"), *FOLDER.glob("*.css")):
        found = re.findall(r"""(?:url\(|import |fetch\()\s*["']?(?:https?:)?//""", path.read_text())
        assert not found, path.name


def test_text_keeps_what_scripts_need_and_loses_control_characters() -> None:
    assert cleaned(" a\x00b\tc\u200cd\u00a0e ") == "ab c\u200cd\u00a0e"


def test_languages_have_names() -> None:
    assert (language_name("en"), language_name("eng")) == ("English", "English")
    assert language_name("tlh") == "tlh"


async def test_a_head_is_a_get_without_the_page(library: Library) -> None:
    answer = await library.browser().client.head("/books")
    assert answer.status_code == 200 and "content-security-policy" in answer.headers
