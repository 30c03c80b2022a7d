"""A reader's own loans."""

from .conftest import Library
from .test_catalogue import lend


async def test_ann_sees_her_loans_and_when_they_are_due(library: Library) -> None:
    await lend(library, "00123", "Ann Reed")
    ann = library.browser()
    await ann.sign_in("ann@example.org")
    page = await ann.see("/my")
    assert "Middlemarch" in page.text and "00123" in page.text and "Due" in page.text
    page = await ann.see("/")
    assert "Next due:" in page.text


async def test_ann_renews_once_and_hears_why_not_twice(library: Library) -> None:
    await lend(library, "00123", "Ann Reed")
    ann = library.browser()
    await ann.sign_in("ann@example.org")
    page = await ann.see("/my")
    loan = next(a["value"] for t, a in page.elements if t == "button" and "-" in a.get("value", ""))
    form = {"token": page.token, "key": page.value("key"), "loan": loan}
    page = await ann.send("/my", form)
    assert "1 renewed." in page.text and "Renewed until" in page.text
    again = await ann.send("/my", form)
    assert "1 renewed." in again.text, "the same form sent twice renews once"
    page = await ann.send("/my", form | {"key": page.value("key")})
    assert "Not renewed. The reason is beside it." in page.text


async def test_renew_all_counts_what_was_renewed(library: Library) -> None:
    await lend(library, "00123", "Ann Reed")
    await lend(library, "00125", "Ann Reed")
    ann = library.browser()
    await ann.sign_in("ann@example.org")
    page = await ann.fill("/my", {"loan": "all", "key": "abcdef0123456789"})
    assert "2 renewed." in page.text


async def test_nobody_renews_for_somebody_else(library: Library) -> None:
    await lend(library, "00123", "Ann Reed")
    ann, ben = library.browser(), library.browser()
    await ann.sign_in("ann@example.org")
    await ben.sign_in("ben@example.org")
    loan = next(
        a["value"]
        for t, a in (await ann.see("/my")).elements
        if t == "button" and "-" in a.get("value", "")
    )
    page = await ben.fill("/my", {"loan": loan})
    assert "Renewed until" not in page.text and "Not renewed" in page.text


async def test_no_loans_is_one_sentence(library: Library) -> None:
    ann = library.browser()
    await ann.sign_in("ann@example.org")
    assert "You have no loans." in (await ann.see("/my")).text
