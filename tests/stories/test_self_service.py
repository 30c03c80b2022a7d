"""What a reader may do alone, and what needs the desk."""

import asyncio

from tests.stories.library import API, Library, expect


async def test_a_reader_returns_ones_own_loan_and_nothing_else(library: Library) -> None:
    ann, ben = await library.reader("Ann"), await library.patron("Ben")
    hers, his, shelved = await library.copy(), await library.copy(), await library.copy()
    expect(await library.lend(hers, ann, by=ann.client), 201)
    expect(await library.lend(his, ben), 201)

    for copy in (his, shelved):
        answer = await ann.client.post(f"{API}/returns", json={"barcode": copy["barcode"]})
        assert expect(answer, 403)["type"] == "/problems/not-allowed"
    assert len(await library.loans_of(ben)) == 1

    back = await ann.client.post(f"{API}/returns", json={"barcode": hers["barcode"]})
    assert expect(back)["loan"]["patron_id"] == ann.id


async def test_a_reader_cannot_date_a_return_back(library: Library) -> None:
    ann, copy = await library.reader("Ann"), await library.copy()
    loan = expect(await library.lend(copy, ann, by=ann.client), 201)
    body = {"barcode": copy["barcode"], "returned_at": loan["lent_at"]}
    expect(await ann.client.post(f"{API}/returns", json=body), 403)
    assert len(await library.loans_of(ann)) == 1


async def test_one_self_service_branch_does_not_open_another(library: Library) -> None:
    ann, copy = await library.reader("Ann"), await library.copy()
    async with Library.open(library.system) as north:
        await library.staff.patch(f"{API}/branches/{library.branch}", json={"self_service": False})
        answer = await library.lend(copy, ann, by=ann.client, branch_id=north.branch)
        expect(answer, 403)
    assert await library.loans_of(ann) == []


async def test_of_twenty_who_change_a_rule_at_once_one_is_right(library: Library) -> None:
    rule = await library.rule("fine", 20)
    path, first = f"{API}/rules/{rule['id']}", {"if-match": f'"{rule["version"]}"'}
    answers = await asyncio.gather(
        *[library.staff.patch(path, json={"value": n}, headers=first) for n in range(20)]
    )
    won = [answer for answer in answers if answer.status_code == 200]
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 19
    assert expect(await library.staff.get(path))["value"] == won[0].json()["value"]
