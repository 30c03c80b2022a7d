"""Signing in and out, and what protects a session."""

import asyncio
import re

import pytest

from lendery.web.visits import local_path

from .conftest import ORIGIN, PASSWORD, Browser, Library


async def test_ann_signs_in_and_out(library: Library) -> None:
    ann = library.browser()
    page = await ann.sign_in("ann@example.org")
    assert page.response.status_code == 303 and page.response.headers["location"] == "/my"
    page = await ann.see("/my")
    assert "Ann Reed" in page.text and "C-1001" in page.text
    assert page.response.headers["cache-control"] == "private, no-store"
    page = await ann.send("/sign-out", {"token": page.token})
    assert page.response.headers["location"] == "/"
    page = await ann.see("/my")
    assert page.response.headers["location"] == "/sign-in?next=%2Fmy"


async def test_signing_out_ends_the_session_everywhere(library: Library) -> None:
    ann = library.browser()
    await ann.sign_in("ann@example.org")
    kept = dict(ann.client.cookies)
    page = await ann.see("/my")
    await ann.send("/sign-out", {"token": page.token})
    thief = library.browser()
    thief.client.cookies.update(kept)
    await asyncio.sleep(1)
    page = await thief.see("/my")
    assert page.response.status_code == 303


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(library: Library) -> None:
    page = await library.browser().sign_in("ann@example.org")
    cookies = page.response.headers.get_list("set-cookie")
    assert {c.split("=")[0] for c in cookies} >= {"lendery_access", "lendery_refresh"}
    for cookie in cookies:
        assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie


async def test_unknown_and_wrong_are_told_the_same(library: Library) -> None:
    browser = library.browser()
    answers = []
    for email, password in (("ann@example.org", "wrong wrong"), ("no@example.org", PASSWORD)):
        page = await browser.sign_in(email, password)
        assert page.response.status_code == 422
        answers.append(re.sub(r'value="[^"]*"', "", page.response.text))
    assert answers[0] == answers[1]
    assert "do not match" in answers[0]


async def test_too_many_attempts_must_wait(library: Library) -> None:
    browser = library.browser()
    for _ in range(library.wiring.settings.failed_logins):
        await browser.sign_in("ann@example.org", "wrong wrong")
    page = await browser.sign_in("ann@example.org", "wrong wrong")
    assert page.response.status_code == 429
    assert "Wait" in page.text and page.response.headers["retry-after"]


async def test_reader_joins_and_is_signed_in(library: Library) -> None:
    cleo = library.browser()
    page = await cleo.fill("/join", {"name": "Cleo", "email": "cleo", "password": "short"})
    assert page.response.status_code == 422
    assert "10 characters" in page.text and "ann@example.org" in page.text
    given = {"name": "Cleo", "email": "cleo@example.org", "password": PASSWORD}
    page = await cleo.fill("/join", given)
    assert page.response.headers["location"] == "/my?welcome=1"
    page = await cleo.see("/my?welcome=1")
    assert "Welcome" in page.text and "Cleo" in page.text
    page = await library.browser().fill("/join", given)
    assert page.response.status_code == 422 and "joined with this e-mail" in page.text


async def refused(browser: Browser, path: str, given: dict[str, str], **headers: str) -> bool:
    page = await browser.send(path, given, **headers)
    return page.response.status_code == 403 and "Nothing was changed" in page.text


async def test_forms_of_other_sites_are_refused(library: Library, desk: Browser) -> None:
    page = await desk.see("/staff")
    good = {"token": page.token, "code": "00123"}
    assert await refused(desk, "/staff", good | {"token": ""})
    assert await refused(desk, "/staff", good | {"token": "0" * 40})
    assert await refused(desk, "/staff", good, origin="http://evil.test")
    assert await refused(desk, "/staff", good, origin="null")
    assert await refused(desk, "/staff", good, **{"sec-fetch-site": "cross-site"})
    assert await refused(desk, "/staff", good, **{"sec-fetch-site": "same-site"})
    ann = library.browser()
    await ann.sign_in("ann@example.org")
    strange = (await ann.see("/my")).token
    assert await refused(desk, "/staff", good | {"token": strange})
    page = await desk.send("/staff", good, **{"sec-fetch-site": "same-origin"})
    assert page.response.status_code == 200


async def test_signing_somebody_in_from_elsewhere_is_refused(library: Library) -> None:
    given = {"email": "ann@example.org", "password": PASSWORD}
    assert await refused(library.browser(), "/sign-in", given)
    other = (await library.browser().see("/sign-in")).token
    assert await refused(library.browser(), "/sign-in", given | {"token": other})


async def test_json_is_not_a_form(library: Library, desk: Browser) -> None:
    answer = await desk.client.post("/staff", json={"code": "00123"}, headers={"origin": ORIGIN})
    assert answer.status_code == 422


async def test_an_expired_access_token_is_renewed_unseen(library: Library) -> None:
    ann = library.browser()
    await ann.sign_in("ann@example.org")
    first = ann.client.cookies["lendery_refresh"]
    del ann.client.cookies["lendery_access"]
    page = await ann.see("/my")
    assert page.response.status_code == 200 and "Ann Reed" in page.text
    assert ann.client.cookies["lendery_refresh"] != first


async def test_windows_that_renew_at_once_stay_signed_in(library: Library) -> None:
    ann = library.browser()
    await ann.sign_in("ann@example.org")
    del ann.client.cookies["lendery_access"]
    jar = dict(ann.client.cookies)
    windows = [library.browser() for _ in range(5)]
    for window in windows:
        for name, value in jar.items():
            window.client.cookies.set(name, value, domain="library.test", path="/")
    pages = await asyncio.gather(*[window.see("/my") for window in windows])
    assert [page.response.status_code for page in pages] == [200] * 5
    assert len({window.client.cookies["lendery_refresh"] for window in windows}) == 1


async def test_after_signing_in_one_goes_where_one_wanted(library: Library) -> None:
    ann = library.browser()
    page = await ann.see("/sign-in?next=/books%3Fq%3Demma")
    assert page.value("next") == "/books?q=emma"
    given = {"token": page.token, "email": "ann@example.org", "password": PASSWORD}
    page = await ann.send("/sign-in", given | {"next": "//evil.test/"})
    assert page.response.headers["location"] == "/my"
    page = await ann.see("/sign-in?next=/books%3Fq%3Demma")
    assert page.response.headers["location"] == "/books?q=emma"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.test",
        "https://evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "/\t/evil.test",
        "/%0d%0aset-cookie".replace("%0d%0a", "\r\n"),
        "javascript:alert(1)",
        "evil.test",
        "",
        "/" + "a" * 3000,
    ],
)
def test_no_address_leads_elsewhere(target: str) -> None:
    assert local_path(target, "/safe") == "/safe"


def test_own_addresses_are_kept() -> None:
    assert local_path("/books?q=a%20b&page=2", "/") == "/books?q=a%20b&page=2"


async def test_readers_stay_out_of_the_staff_pages(library: Library) -> None:
    ann = library.browser()
    await ann.sign_in("ann@example.org")
    for path in ("/staff", "/staff/patrons?q=b", "/staff/register", "/staff/overdue"):
        page = await ann.see(path)
        assert page.response.status_code == 403, path
        assert "Not for this account" in page.text
    page = await ann.see(f"/staff/patrons/{library.people['Ben Ito'].id}")
    assert page.response.status_code == 403 and "Ben" not in page.text


async def test_every_page_carries_the_policy(library: Library, desk: Browser) -> None:
    for path in ("/", "/books", "/sign-in", "/staff", "/staff/patrons", "/nowhere", "/my"):
        page = await desk.see(path)
        policy = page.response.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy and "http" not in policy
        assert page.response.headers["cache-control"] == "private, no-store"
        assert page.response.headers["x-content-type-options"] == "nosniff"
        for tag, attributes in page.elements:
            assert tag != "style" and "style" not in attributes, path
            assert tag != "script" or attributes["src"].startswith("/static/")
            assert not any(name.startswith("on") for name in attributes), path
