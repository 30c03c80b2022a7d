"""Who may do what: what the library promised, written down a second time.

On purpose this knows nothing of the product's own table of permissions: a permission that is
wrong there shows as a cell that fails here. `{name}` stands for a thing that `Things` makes.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.security.cast import ADMIN, CALLERS, LIBRARIAN, OTHER, OWNER, STRANGER
from tests.stories.library import API, PASSWORD

ALL = frozenset(CALLERS)
SIGNED_IN = ALL - {STRANGER}
MINE = frozenset({OWNER, LIBRARIAN, ADMIN})
STAFF = frozenset({LIBRARIAN, ADMIN})
ADMINS = frozenset({ADMIN})
NOBODY: frozenset[str] = frozenset()
READERS = (STRANGER, OTHER, OWNER)


@dataclass(frozen=True)
class Ask:
    """One way to call an operation: who may, what is sent, what success looks like.

    `at` replaces a name in the path, `callers` are those who try, `witness` is what must read
    the same after a refusal.
    """

    who: frozenset[str]
    body: dict[str, Any] | None = None
    form: dict[str, str] | None = None
    file: str = ""
    query: str = ""
    status: int = 200
    witness: str = ""
    at: dict[str, str] = field(default_factory=dict)
    callers: tuple[str, ...] = CALLERS


def add(who: frozenset[str], body: dict[str, Any], things: str) -> Ask:
    return Ask(who, body, status=201, witness=f"/{things}?limit=1&total=exact")


def change(who: frozenset[str], body: dict[str, Any], thing: str) -> Ask:
    return Ask(who, body, witness=thing)


def remove(who: frozenset[str], thing: str) -> Ask:
    return Ask(who, status=204, witness=thing)


OUR_PATRON, A_LIBRARIAN = {"user_id": "{patron_id}"}, {"user_id": "{new_librarian_id}"}
OPEN_HOURS = {"mon": [["09:00", "18:00"]]}
LENT, HELD, OWED = "/loans/{loan_id}", "/holds/{hold_id}", "/users/{user_id}/account"
PLACED: dict[str, Any] = {"status": 201, "witness": "/books/{book_id}/holds"}
ONE_EURO = {"amount": 100, "currency": "EUR"}
HERE = {"branch_id": "{home}"}  # where nobody of these tests opens a drawer
A_WAY = {"from_branch_id": "{home}", "to_branch_id": "{branch_id}", "cost": 3}
PAID = {"patron_id": "{user_id}", "amount": ONE_EURO, "fine_ids": ["{fine_id}"], **HERE}
OFFLINE_PAGE: dict[str, Any] = {"id": "{page_id}", "sequence": 1, "kind": "check-in"} | {
    name: f"{{page_{name}}}" for name in ("at", "barcode", "signature")
}
OFFLINE_BATCH = {"id": "{page_id}", "desk_id": "{desk_id}", "transactions": [OFFLINE_PAGE]}
CREDIT = {"patron_id": "{credit_id}", "amount": ONE_EURO, "reason": "Paid twice", **HERE}
DRAWER = {"branch_id": "{branch_id}", "desk": "front", "opening_float": ONE_EURO}

CATALOG = {
    "GET /books": [Ask(ALL)],
    "GET /books/search": [Ask(ALL, query="?q=middlemarch")],
    "GET /books/suggest": [Ask(ALL, query="?q=mid")],
    "GET /books/{book_id}": [Ask(ALL)],
    "GET /books/{book_id}/similar": [Ask(ALL)],
    "GET /books/{book_id}/copies": [Ask(ALL)],
    "POST /books": [add(STAFF, {"title": "Emma"}, "books")],
    "PATCH /books/{book_id}": [change(STAFF, {"title": "Emma"}, "/books/{book_id}")],
    "DELETE /books/{book_id}": [remove(STAFF, "/books/{book_id}")],
    "GET /subjects": [Ask(ALL)],
    "GET /authors": [Ask(ALL)],
    "GET /authors/{author_id}": [Ask(ALL)],
    "GET /authors/{author_id}/books": [Ask(ALL)],
    "POST /authors": [add(STAFF, {"name": "Jane Austen"}, "authors")],
    "PATCH /authors/{author_id}": [change(STAFF, {"born": 1819}, "/authors/{author_id}")],
    "DELETE /authors/{author_id}": [remove(STAFF, "/authors/{author_id}")],
    "GET /copies": [Ask(ALL)],
    "GET /copies/{copy_id}": [Ask(ALL)],
    "GET /copies/by-barcode/{barcode}": [Ask(ALL)],
    "POST /copies": [
        add(
            STAFF,
            {"barcode": "{mark}", "book_id": "{book_id}", "branch_id": "{home}"},
            "copies",
        )
    ],
    "PATCH /copies/{copy_id}": [change(STAFF, {"location": "Attic"}, "/copies/{copy_id}")],
    "DELETE /copies/{copy_id}": [remove(STAFF, "/copies/{copy_id}")],
}

EVANS = {"name": "Evans {mark}"}
TWO_AUTHORS = {"kind": "author", "loser_id": "{other_author_id}", "winner_id": "{author_id}"}
AUTHOR, SUBJECT = {"heading_id": "{author_id}"}, {"heading_id": "{subject_id}"}
MERGED, PAIRED = "/merges/{merge_id}", "/authors/{twin_id}"
AUTHORITIES = {
    "GET /authors/{heading_id}/variants": [Ask(ALL, at=AUTHOR)],
    "POST /authors/{heading_id}/variants": [
        Ask(STAFF, EVANS, status=201, at=AUTHOR, witness="/authors/{author_id}")
    ],
    "DELETE /authors/{heading_id}/variants/{variant_id}": [
        Ask(STAFF, status=204, at=AUTHOR, witness="/authors/{author_id}")
    ],
    "PUT /authors/{heading_id}/see-also/{other_id}": [
        Ask(
            STAFF,
            status=204,
            at=AUTHOR | {"other_id": "{other_author_id}"},
            witness="/authors/{author_id}",
        )
    ],
    "DELETE /authors/{heading_id}/see-also/{other_id}": [
        Ask(
            STAFF,
            status=204,
            at=AUTHOR | {"other_id": "{other_author_id}"},
            witness="/authors/{author_id}",
        )
    ],
    "GET /subjects/{subject_id}": [Ask(ALL)],
    "GET /subjects/{subject_id}/books": [Ask(ALL)],
    "GET /subjects/{heading_id}/variants": [Ask(ALL, at=SUBJECT)],
    "POST /subjects/{heading_id}/variants": [
        Ask(STAFF, EVANS, status=201, at=SUBJECT, witness="/subjects/{subject_id}")
    ],
    "DELETE /subjects/{heading_id}/variants/{variant_id}": [
        Ask(
            STAFF,
            status=204,
            at=SUBJECT | {"variant_id": "{subject_variant_id}"},
            witness="/subjects/{subject_id}",
        )
    ],
    "PUT /subjects/{heading_id}/see-also/{other_id}": [
        Ask(
            STAFF,
            status=204,
            at=SUBJECT | {"other_id": "{other_subject_id}"},
            witness="/subjects/{subject_id}",
        )
    ],
    "DELETE /subjects/{heading_id}/see-also/{other_id}": [
        Ask(
            STAFF,
            status=204,
            at=SUBJECT | {"other_id": "{other_subject_id}"},
            witness="/subjects/{subject_id}",
        )
    ],
    "GET /works/{work_id}": [Ask(ALL)],
    "PUT /books/{book_id}/work": [change(STAFF, {"work_id": None}, "/books/{book_id}")],
    "GET /series": [Ask(ALL)],
    "GET /series/{series}": [Ask(ALL)],
    "GET /series/{series}/books": [Ask(ALL)],
    "POST /merges": [Ask(STAFF, TWO_AUTHORS, status=201, witness="/authors/{author_id}")],
    "GET /merges": [Ask(STAFF)],
    "GET /merges/{merge_id}": [Ask(STAFF)],
    "POST /merges/{merge_id}/undo": [Ask(STAFF, witness=MERGED)],
    "GET /duplicates": [Ask(STAFF), Ask(STAFF, query="?kind=book")],
    "POST /duplicates/look": [Ask(STAFF)],
    "POST /duplicates/{duplicate_id}/dismiss": [Ask(STAFF, status=204, witness=PAIRED)],
    "POST /duplicates/{duplicate_id}/merge": [
        Ask(STAFF, {"winner_id": "{twin_id}"}, witness=PAIRED)
    ],
}

A_LINE = '{"id":"{mark}","book":{"title":"Emma"}}'
IMPORT, EXPORT = "/imports/{import_id}", "/exports/{export_id}"
TAKEN: dict[str, Any] = {"status": 202}

BULK = {
    "GET /imports": [Ask(STAFF)],
    "POST /imports": [Ask(STAFF, file=A_LINE, witness="/books?limit=1&total=exact", **TAKEN)],
    "GET /imports/{import_id}": [Ask(STAFF)],
    "GET /imports/{import_id}/notes": [Ask(STAFF)],
    "GET /imports/{import_id}/rejects": [Ask(STAFF), Ask(STAFF, query="?reasons=true")],
    "POST /imports/{import_id}/proceed": [
        Ask(STAFF, at={"import_id": "{checked_id}"}, witness="/imports/{checked_id}", **TAKEN)
    ],
    "POST /imports/{import_id}/undo": [Ask(STAFF, witness=IMPORT, **TAKEN)],
    "POST /exports": [Ask(STAFF, {"format": "lendery"}, witness="/jobs?kind=export", **TAKEN)],
    "GET /exports/{export_id}": [Ask(STAFF)],
    "GET /exports/{export_id}/file": [Ask(STAFF)],
    "GET /jobs": [Ask(STAFF)],
    "GET /jobs/periodic": [Ask(STAFF)],
    "POST /jobs/periodic/{context}/{job}/run": [
        Ask(ADMINS, status=202, at={"context": "accounts", "job": "forget-old-slots"})
    ],
    "GET /jobs/{job_id}": [Ask(STAFF, at={"job_id": "{import_id}"})],
    "POST /jobs/{job_id}/cancel": [
        Ask(STAFF, at={"job_id": "{import_id}"}, status=409, witness=IMPORT)
    ],
}

VERSIONS, FIRST = "/rules/versions?limit=1&total=exact", {"number": "1"}
CIRCULATION = {
    "POST /copies/{copy_id}/flags": [change(STAFF, {"flag": "damaged"}, "/copies/{copy_id}")],
    "DELETE /copies/{copy_id}/flags/{flag}": [Ask(STAFF, witness="/copies/{copy_id}")],
    "POST /loans": [
        Ask(who, {"barcode": "{barcode}", **to}, status=201, witness="/copies/{copy_id}", callers=c)
        for who, to, c in (
            (MINE, {"patron_id": "{user_id}"}, CALLERS),
            (MINE, {"card_number": "{owner_card}"}, CALLERS),
            (SIGNED_IN, {}, READERS),
            (STAFF, {"patron_id": "{user_id}", "waive": ["damaged"]}, CALLERS),
        )
    ],
    "POST /returns": [change(MINE, {"barcode": "{lent_barcode}"}, LENT)],
    "POST /loans/{loan_id}/renew": [
        Ask(MINE, witness=LENT),
        Ask(STAFF, {"waive": ["too-early"]}, witness=LENT),
    ],
    "POST /loans/{loan_id}/resolve-claim": [
        Ask(
            STAFF,
            {"how": "paid"},
            at={"loan_id": "{claimed_loan_id}"},
            witness="/loans/{claimed_loan_id}",
        )
    ],
    "GET /users/{user_id}/suspensions": [Ask(MINE)],
    "POST /suspensions/{suspension_id}/lift": [  # of nobody: nothing comes back late in a test
        Ask(STAFF, status=404, at={"suspension_id": "{user_id}"})
    ],
    "POST /recalls": [  # no rule of these tests lets a loan be called back
        Ask(STAFF, {"loan_id": "{loan_id}"}, status=409, witness=LENT)
    ],
    "GET /recalls": [Ask(STAFF)],
    "GET /copies/{copy_id}/history": [Ask(STAFF, at={"copy_id": "{lent_copy_id}"})],
    "POST /undo": [change(STAFF, {"event_id": "{event_id}"}, LENT)],
    "POST /offline/desks": [add(ADMINS, {"name": "Bus", "branch_id": "{home}"}, "offline/desks")],
    "GET /offline/desks": [Ask(STAFF)],
    "GET /offline/desks/{desk_id}": [Ask(STAFF)],
    "POST /offline/desks/{desk_id}/revoke": [Ask(ADMINS, witness="/offline/desks/{desk_id}")],
    "POST /offline/transactions": [
        Ask(STAFF, OFFLINE_BATCH, witness="/offline/batches?limit=1&total=exact")
    ],
    "GET /offline/batches": [Ask(STAFF)],
    "GET /offline/batches/{batch_id}": [Ask(STAFF)],
    "GET /offline/conflicts": [Ask(STAFF)],
    "GET /offline/conflicts/{conflict_id}": [Ask(STAFF)],
    "POST /offline/conflicts/{conflict_id}/settle": [
        change(STAFF, {"how": "dismiss", "reason": "Gone"}, "/offline/conflicts/{conflict_id}")
    ],
    "GET /loans/{loan_id}": [Ask(MINE)],
    "GET /loans": [Ask(SIGNED_IN), Ask(MINE, query="?patron_id={user_id}")],
    "GET /loans/overdue": [Ask(STAFF)],
    "GET /loans/check": [
        Ask(MINE, query="?barcode={barcode}&patron_id={user_id}"),
        Ask(MINE, query="?barcode={barcode}&card_number={owner_card}"),
        Ask(STAFF, query="?barcode={barcode}&patron_id={user_id}&waive=damaged"),
    ],
    "GET /users/{user_id}/loans": [Ask(MINE)],
    "GET /books/{book_id}/holds": [Ask(STAFF)],
    "GET /users/{user_id}/holds": [Ask(MINE)],
    "POST /holds": [
        Ask(who, {"copy_id": "{copy_id}", "pickup_branch_id": "{home}", **to}, **how)
        for who, to, how in (
            (MINE, {"patron_id": "{user_id}"}, PLACED),
            (STAFF, {"card_number": "{owner_card}"}, PLACED),
            (SIGNED_IN, {}, PLACED | {"callers": READERS}),
        )
    ],
    "GET /holds": [Ask(SIGNED_IN), Ask(MINE, query="?patron_id={user_id}")],
    "GET /pulls": [Ask(STAFF)],
    "GET /holds/{hold_id}": [Ask(MINE)],
    "GET /holds/{hold_id}/why": [Ask(MINE)],
    "PATCH /holds/{hold_id}": [change(MINE, {"pickup_branch_id": "{branch_id}"}, HELD)],
    "POST /holds/{hold_id}/suspend": [change(MINE, {"until": "2099-01-01"}, HELD)],
    "POST /holds/{hold_id}/resume": [Ask(MINE, witness=HELD)],
    "DELETE /holds/{hold_id}": [remove(MINE, HELD)],
    "GET /transfers": [Ask(STAFF)],
    "GET /users/{user_id}/account": [Ask(MINE)],
    "GET /fines": [Ask(SIGNED_IN), Ask(MINE, query="?patron_id={user_id}")],
    "GET /fines/{fine_id}": [Ask(MINE)],
    "POST /fines": [
        Ask(STAFF, {"patron_id": "{user_id}", "amount": ONE_EURO}, status=201, witness=OWED)
    ],
    "POST /fines/{fine_id}/waive": [change(STAFF, {"reason": "Agreed"}, OWED)],
    "POST /fines/{fine_id}/write-off": [change(STAFF, {"reason": "Moved away"}, OWED)],
    "POST /fines/{fine_id}/cancel": [change(STAFF, {"reason": "A mistake"}, OWED)],
    "POST /payments": [Ask(STAFF, PAID, status=201, witness=OWED)],
    "POST /refunds": [Ask(STAFF, CREDIT, status=201, witness="/users/{credit_id}/account")],
    "GET /cash-sessions": [Ask(STAFF)],
    "GET /cash-sessions/totals": [Ask(STAFF), Ask(STAFF, query="?format=csv")],
    "GET /cash-sessions/{session_id}": [Ask(STAFF)],
    "GET /cash-sessions/{session_id}/lines": [Ask(STAFF)],
    "POST /cash-sessions": [
        Ask(STAFF, DRAWER, status=201, witness="/cash-sessions?branch_id={branch_id}")
    ],
    "POST /cash-sessions/{session_id}/close": [
        change(STAFF, {"counted": ONE_EURO}, "/cash-sessions/{session_id}")
    ],
    "GET /branches": [Ask(ALL)],
    "GET /branches/{branch_id}": [Ask(ALL)],
    "POST /branches": [add(ADMINS, {"code": "{mark}", "name": "North"}, "branches")],
    "PATCH /branches/{branch_id}": [change(ADMINS, {"name": "South"}, "/branches/{branch_id}")],
    "DELETE /branches/{branch_id}": [remove(ADMINS, "/branches/{branch_id}")],
    "GET /calendars": [Ask(ALL)],
    "GET /calendars/{calendar_id}": [Ask(ALL)],
    "POST /calendars": [add(ADMINS, {"name": "Town", "weekly": OPEN_HOURS}, "calendars")],
    "PATCH /calendars/{calendar_id}": [
        change(ADMINS, {"name": "Village"}, "/calendars/{calendar_id}")
    ],
    "DELETE /calendars/{calendar_id}": [remove(ADMINS, "/calendars/{calendar_id}")],
    "GET /transport-costs": [Ask(ALL)],
    "PUT /transport-costs": [change(ADMINS, {"rows": [A_WAY]}, "/transport-costs")],
    "GET /rules": [Ask(STAFF)],
    "GET /rules/explain": [Ask(STAFF)],
    "GET /rules/text": [Ask(STAFF)],
    "GET /rules/versions": [Ask(STAFF)],
    "GET /rules/versions/{number}": [Ask(STAFF, at=FIRST)],
    "GET /rules/versions/{number}/text": [Ask(STAFF, at=FIRST)],
    "GET /rules/versions/{number}/differences": [Ask(STAFF, at=FIRST)],
    "PUT /rules": [
        Ask(ADMINS, {"rows": []}, query="?dry_run=true", witness=VERSIONS),
        Ask(ADMINS, {"rows": [], "valid_from": "2099-01-01T00:00:00Z"}, witness=VERSIONS),
    ],
    "PUT /rules/text": [
        Ask(
            ADMINS,
            file="any: loan_period = 9 days",
            query="?valid_from=2099-01-01T00:00:00Z",
            witness=VERSIONS,
        )
    ],
    "POST /rules/versions/{number}/restore": [
        Ask(
            ADMINS,
            {"valid_from": "2099-01-01T00:00:00Z"},
            status=201,
            at=FIRST,
            witness=VERSIONS,
        )
    ],
    "POST /rules/simulate": [
        Ask(
            ADMINS,
            {"version": 1, "since": "2026-01-01T00:00:00Z"},
            status=202,
            witness="/rules/simulations?limit=1",
        )
    ],
    "GET /rules/simulations": [Ask(STAFF)],
    "GET /rules/simulations/{simulation_id}": [Ask(STAFF)],
    "GET /rules/simulations/{simulation_id}/differences": [Ask(STAFF)],
    "GET /rules/simulations/{simulation_id}/file": [Ask(STAFF)],
    "POST /rules/simulations/{simulation_id}/cancel": [
        Ask(ADMINS, status=409, witness="/rules/simulations/{simulation_id}")
    ],
    "GET /rules/{rule_id}": [Ask(STAFF)],
    "POST /rules": [
        add(ADMINS, {"category": "{mark}", "parameter": "loan_period", "value": 3}, "rules")
    ],
    "PATCH /rules/{rule_id}": [change(ADMINS, {"value": 99}, "/rules/{rule_id}")],
    "DELETE /rules/{rule_id}": [remove(ADMINS, "/rules/{rule_id}")],
}

REVIEW = "/reviews/{review_id}"
OTHERS = (STRANGER, OTHER, LIBRARIAN, ADMIN)  # a report, or a decision, is about somebody else's
REVIEWS = {
    "GET /books/{book_id}/rating": [Ask(ALL)],
    "GET /books/{book_id}/reviews": [Ask(ALL)],
    "POST /books/{book_id}/reviews": [
        Ask(SIGNED_IN, {"rating": 5}, status=201, witness="/books/{book_id}/reviews")
    ],
    "POST /reviews": [
        Ask(
            SIGNED_IN,
            {"book_id": "{book_id}", "rating": 5},
            status=201,
            witness="/books/{book_id}/reviews",
        )
    ],
    "GET /reviews": [
        Ask(ALL),
        Ask(SIGNED_IN, query="?mine=true"),
        Ask(STAFF, query="?state=reported"),
        Ask(STAFF, query="?state=hidden"),
    ],
    "GET /reviews/{review_id}": [Ask(ALL)],
    "PATCH /reviews/{review_id}": [change(frozenset({OWNER}), {"rating": 1}, REVIEW)],
    "DELETE /reviews/{review_id}": [remove(MINE, REVIEW)],
    "POST /reviews/{review_id}/report": [
        Ask(SIGNED_IN, {"reason": "spam"}, status=204, witness=REVIEW, callers=OTHERS)
    ],
    "POST /reviews/{review_id}/moderate": [
        change(STAFF, {"decision": "hide", "reason": "Spam"}, REVIEW)
    ],
}

WORDS = {"subject": "Ready", "body": "Collect it at {{ branch }}."}
TEMPLATE = {"kind": "hold-ready", "language": "en", "medium": "inbox"}
A_TEMPLATE = "/notice-templates/{kind}/{language}/{medium}"
WORDED = "/notice-templates/hold-ready/en/inbox"
NOTICES = {
    "GET /me/notices": [Ask(SIGNED_IN), Ask(SIGNED_IN, query="?unread=true")],
    "POST /me/notices/read": [Ask(SIGNED_IN)],
    "POST /me/notices/{notice_id}/read": [  # in the inboxes of others there is no such notice
        Ask(frozenset({OWNER}), callers=(STRANGER, OWNER)),
        Ask(SIGNED_IN, status=404, callers=(OTHER, LIBRARIAN, ADMIN)),
    ],
    "GET /me/notices/preferences": [Ask(SIGNED_IN)],
    "PATCH /me/notices/preferences": [Ask(SIGNED_IN, {"digest": True})],
    "GET /notices/unsubscribe/{token}": [Ask(ALL, at={"token": "{way_out}"})],
    "POST /notices/unsubscribe/{token}": [Ask(ALL, at={"token": "{way_out}"})],
    "GET /notice-templates": [Ask(STAFF)],
    f"GET {A_TEMPLATE}": [Ask(STAFF, at=TEMPLATE)],
    f"PUT {A_TEMPLATE}": [Ask(ADMINS, WORDS, at=TEMPLATE, witness=WORDED)],
    f"DELETE {A_TEMPLATE}": [Ask(ADMINS, status=204, at=TEMPLATE, witness=WORDED)],
    f"POST {A_TEMPLATE}/preview": [Ask(STAFF, WORDS, at=TEMPLATE)],
    "GET /notices/mails": [Ask(STAFF), Ask(STAFF, query="?patron_id={user_id}")],
    "GET /notices/mails/{mail_id}": [Ask(STAFF)],
    "POST /notices/mails/{mail_id}/retry": [
        Ask(STAFF, status=409, witness="/notices/mails/{mail_id}")
    ],
    "GET /notices/bounces": [Ask(STAFF)],
    "DELETE /notices/bounces/{patron_id}": [Ask(STAFF, status=404)],
}

MAILED, A_REPORT = "/report-subscriptions", "/report-subscriptions/{subscription_id}"
EACH_MORNING = {"report": "overdue", "form": "csv", "every": "day", "hour": 6}


def own_report(body: dict[str, Any] | None = None, status: int = 200) -> list[Ask]:
    """Of the administrator; for other staff there is no such subscription."""
    return [
        Ask(ADMINS, body, status=status, witness=A_REPORT, callers=(*READERS, ADMIN)),
        Ask(STAFF, body, status=404, witness=A_REPORT, callers=(*READERS, LIBRARIAN)),
    ]


REPORTS = {
    "GET /reports": [Ask(STAFF)],
    "GET /reports/{name}": [
        Ask(STAFF, at={"name": "loans-by-day"}),
        Ask(STAFF, at={"name": "overdue"}),
        Ask(STAFF, query="?format=csv", at={"name": "top-titles"}),
    ],
    f"GET {MAILED}": [Ask(STAFF)],
    f"POST {MAILED}": [add(STAFF, EACH_MORNING, "report-subscriptions")],
    f"GET {A_REPORT}": own_report(),
    f"PATCH {A_REPORT}": own_report({"hour": 7}),
    f"DELETE {A_REPORT}": own_report(status=204)[::-1],
    f"POST {A_REPORT}/send": own_report(status=409),  # these libraries send no mail
}

OWN_RECORD = "/users/{user_id}"
NEWCOMER = {"email": "{mark}@lendery.test", "password": PASSWORD, "name": "Ben"}
A_PERSON = {"name": "Ben", "category": "{category}"}
ACCOUNTS = {
    "POST /auth/token": [
        Ask(
            ALL,
            form={"grant_type": "password", "username": "{owner_email}", "password": PASSWORD},
        )
    ],
    "POST /auth/register": [Ask(ALL, NEWCOMER, status=201)],
    "POST /auth/revoke": [Ask(ALL, form={"token": "nobody-knows-it"})],
    "POST /auth/password": [Ask(SIGNED_IN, {"current": PASSWORD, "new": PASSWORD}, status=204)],
    "GET /auth/me": [Ask(SIGNED_IN)],
    "GET /auth/jwks.json": [Ask(ALL)],
    "GET /users": [Ask(STAFF), Ask(STAFF, query="?q={owner_email}")],
    "GET /users/by-card/{card_number}": [Ask(STAFF)],
    "GET /users/{user_id}": [Ask(MINE)],
    "POST /users": [
        add(STAFF, A_PERSON, "users"),
        add(ADMINS, {**A_PERSON, "role": "librarian"}, "users"),
        add(ADMINS, {**A_PERSON, "role": "admin"}, "users"),
    ],
    "PATCH /users/{user_id}": [
        change(MINE, {"language": "fr"}, OWN_RECORD),
        change(STAFF, {"category": "{category}"}, OWN_RECORD),
        *[
            Ask(NOBODY, {name: value}, witness=OWN_RECORD, callers=READERS)
            for name, value in {
                "role": "admin",
                "active": True,
                "category": "staff",
                "expires_on": "2999-12-31",
                "card_number": "OWN-CARD-1",
                "guarantor_id": "{other_id}",
            }.items()
        ],
        Ask(STAFF, {"expires_on": "2999-12-31"}, at=OUR_PATRON, witness="/users/{patron_id}"),
        Ask(ADMINS, {"role": "admin"}, at=OUR_PATRON, witness="/users/{patron_id}"),
        Ask(ADMINS, {"name": "Eve"}, at=A_LIBRARIAN, witness="/users/{new_librarian_id}"),
        Ask(
            NOBODY,
            {"role": "admin"},
            at={"user_id": "{librarian_id}"},
            witness="/users/{librarian_id}",
            callers=(STRANGER, OTHER, OWNER, LIBRARIAN),
        ),
    ],
    "DELETE /users/{user_id}": [
        Ask(STAFF, status=204, at=OUR_PATRON, witness="/users/{patron_id}"),
        Ask(ADMINS, status=204, at=A_LIBRARIAN, witness="/users/{new_librarian_id}"),
        Ask(NOBODY, witness=OWN_RECORD, callers=READERS),
    ],
    "GET /users/{user_id}/export": [
        Ask(frozenset({OWNER, ADMIN})),
        Ask(frozenset({OWNER, ADMIN}), query="?format=zip"),
    ],
    "GET /users/{user_id}/lookups": [Ask(frozenset({OWNER, ADMIN}))],
    "POST /users/{user_id}/erase": [
        Ask(STAFF, at=OUR_PATRON, witness="/users/{patron_id}"),
        Ask(ADMINS, at=A_LIBRARIAN, witness="/users/{new_librarian_id}"),
        Ask(NOBODY, witness=OWN_RECORD, callers=(STRANGER, OTHER)),
    ],
    "GET /users/{user_id}/erasure": [Ask(MINE, status=404)],
    "GET /users/{user_id}/blocks": [Ask(MINE)],
    "POST /users/{user_id}/blocks": [
        Ask(STAFF, {"reason": "other"}, status=201, at=OUR_PATRON, witness="/users/{patron_id}"),
        Ask(
            ADMINS,
            {"reason": "other"},
            status=201,
            at=A_LIBRARIAN,
            witness="/users/{new_librarian_id}/blocks",
        ),
        Ask(NOBODY, {"reason": "other"}, witness=f"{OWN_RECORD}/blocks", callers=READERS),
    ],
    "DELETE /users/{user_id}/blocks/{block_id}": [
        Ask(STAFF, status=204, at={"user_id": "{blocked_id}"}, witness="/users/{blocked_id}/blocks")
    ],
}


def _absolute(operation: str) -> str:
    method, path = operation.split()
    return f"{method} {API}{path}"


WHO_MAY: dict[str, list[Ask]] = {
    _absolute(operation): asks
    for operation, asks in (
        CATALOG | AUTHORITIES | BULK | CIRCULATION | NOTICES | REPORTS | REVIEWS | ACCOUNTS
    ).items()
} | {"GET /.well-known/jwks.json": [Ask(ALL)]}

SMOKE = [
    _absolute(each)
    for each in (
        "GET /books",
        "POST /books",
        "PATCH /authors/{author_id}",
        "POST /copies",
        "DELETE /copies/{copy_id}",
        "POST /copies/{copy_id}/flags",
        "POST /loans",
        "POST /returns",
        "GET /loans/{loan_id}",
        "GET /users/{user_id}/loans",
        "POST /rules",
        "GET /rules/explain",
        "GET /users/{user_id}",
        "PATCH /users/{user_id}",
        "DELETE /users/{user_id}",
        "GET /users/{user_id}/export",
        "POST /users/{user_id}/erase",
        "GET /auth/me",
        "POST /books/{book_id}/reviews",
        "PATCH /reviews/{review_id}",
        "GET /reviews",
        "POST /reviews/{review_id}/moderate",
        "GET /me/notices",
        f"PUT {A_TEMPLATE}",
    )
]
