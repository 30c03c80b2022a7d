"""What the template of each kind may name, with values: for previews and for checks.

A template is checked with each sample of its kind. The second one lacks whatever can be missing.
"""

from typing import Any

from lendery.contracts.notices import Medium, TemplateKind

_AT = {"branch": "Central"}
_MONEY = {
    "amount": {"amount": 350, "currency": "EUR"},
    "balance": {"amount": 125, "currency": "EUR"},
}
_ITEM = {"title": "Middlemarch", "branch": "Central", "due_on": "2026-03-02"}
_UNTITLED = {"title": None, "branch": "", "due_on": "2026-03-02"}
_LOANS = ({"items": [_ITEM, _UNTITLED], "count": 2}, {"items": [_UNTITLED], "count": 1})
_HELD = (
    {"title": "Middlemarch", "expires_on": "2026-03-09"} | _AT,
    {"title": None, "expires_on": None, "branch": ""},
)
_ENDING = (_HELD[0], _HELD[1] | {"expires_on": "2026-03-09"})
_REPORT = (
    {"report": "loans-by-day", "since_on": "2026-02-01", "until_on": "2026-02-28",
     "branch": "Central", "path": "/api/v1/reports/loans-by-day", "too_long": False},
    {"report": "overdue", "since_on": None, "until_on": None, "branch": None,
     "path": "/api/v1/reports/overdue", "too_long": True},
)  # fmt: skip
_NEWS = {"subject": "Due soon", "body": "One item will be due soon."}
_SAMPLES: dict[TemplateKind, tuple[dict[str, Any], dict[str, Any]]] = {
    "hold-ready": _HELD,
    "hold-expiring": _ENDING,
    "hold-expired": _HELD,
    "hold-cancelled": _HELD,
    "due-soon": _LOANS,
    "overdue-1": _LOANS,
    "overdue-2": _LOANS,
    "overdue-3": _LOANS,
    "loan-renewed": (_ITEM, _UNTITLED),
    "account-expiring": ({"expires_on": "2026-03-09"}, {"expires_on": "2026-03-09"}),
    "payment-received": (_MONEY | {"method": "cash"}, _MONEY | {"method": "card"}),
    "charge-added": (_MONEY | {"reason": "late"}, _MONEY | {"reason": "other"}),
    "report": _REPORT,
    "digest": ({"notices": [_NEWS, _NEWS]}, {"notices": [_NEWS]}),
}
_LIBRARY = {"library": "Riverside Library", "url": "https://library.example.org"}
_MAIL = {"name": "Ann Lee", "unsubscribe": "https://library.example.org/unsubscribe/a-token"}


def samples(kind: TemplateKind, medium: Medium) -> tuple[dict[str, Any], dict[str, Any]]:
    """A full one and a sparse one."""
    full, sparse = _SAMPLES[kind]
    if medium == "inbox":
        return full | _LIBRARY, sparse | _LIBRARY
    return full | _LIBRARY | _MAIL, sparse | _LIBRARY | _MAIL | {"unsubscribe": None}
