"""What every client may rely on."""

from tests.stories.library import API, Library, expect


async def test_head_says_what_get_would_without_the_body(library: Library) -> None:
    book = await library.book()
    for path in (f"{API}/books/{book['id']}", f"{API}/branches/{library.branch}"):
        whole = await library.staff.get(path)
        head = await library.staff.request("HEAD", path)
        assert head.status_code == 200
        assert head.content == b""
        assert head.headers["etag"] == whole.headers["etag"]
    assert (await library.staff.request("HEAD", f"{API}/books/{library.branch}")).status_code == 404


async def test_a_thing_one_has_already_is_not_sent_again(library: Library) -> None:
    book = await library.book()
    path = f"{API}/books/{book['id']}"
    first = await library.staff.get(path)
    again = await library.staff.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    changed = await library.staff.patch(
        path, json={"subtitle": "A Study"}, headers={"if-match": first.headers["etag"]}
    )
    assert expect(changed)["subtitle"] == "A Study"
    late = await library.staff.patch(
        path, json={"subtitle": "Late"}, headers={"if-match": first.headers["etag"]}
    )
    assert expect(late, 412)["type"] == "/problems/stale"
    assert expect(await library.staff.get(path))["subtitle"] == "A Study"
