#!/usr/bin/env python3
"""Writes the reference pages that come out of the code: rules, events, problems, settings.

.venv/bin/python scripts/build_docs.py           writes docs/*.md
.venv/bin/python scripts/build_docs.py --check   says which are out of date, and fails
"""

import inspect
import sys
from pathlib import Path
from typing import get_args

from pydantic import SecretStr

from lendery import main as composition
from lendery.circulation.rules import PARAMETERS
from lendery.contracts.base import Event, Problem
from lendery.contracts.permissions import GRANTED, Permission
from lendery.platform.settings import Settings

DOCS = Path(__file__).parents[1] / "docs"
NOTE = "<!-- Made from the code by scripts/build_docs.py. -->\n\n"


def rules() -> str:
    """Every parameter of the rule table."""
    lines = [
        "# The rule table",
        "",
        "A row says one parameter for a branch, a patron category and an item type; what is left",
        "out matches any. Each parameter is resolved on its own: of the rows that match the most",
        "specific wins (branch before category before item type). No row: the default holds. An",
        "empty value is a value. `GET /api/v1/rules/explain` shows the winner and what it beat.",
        "How the table is saved, planned, rolled back, kept as a file and tried out:",
        "[versions of the rules](rule-tables.md).",
        "",
        "| parameter | takes | without a row | meaning |",
        "|---|---|---|---|",
    ]
    for parameter in PARAMETERS.values():
        default = "-" if parameter.default is None else f"`{parameter.default}`"
        if parameter.default is None and parameter.empty:
            default = parameter.empty
        lines.append(
            f"| `{parameter.name}` | {parameter.takes} | {default} | {parameter.meaning} |"
        )
    return "\n".join(lines) + "\n"


def events() -> str:
    """Every event, its fields, and who reacts."""
    reacting: dict[str, list[str]] = {}
    for context, reactions in composition.REACTIONS.items():
        for reaction in reactions:
            reacting.setdefault(reaction.to.name, []).append(context)
    lines = [
        "# Events",
        "",
        "Written in the same transaction as the change they tell of, delivered at least once,",
        "in order for each thing they are about. They carry ids and codes, never words about a",
        "person.",
        "",
        "| event | fields | in order by | reacting |",
        "|---|---|---|---|",
    ]
    for name, kind in sorted(Event._by_name.items()):
        fields = ", ".join(f"`{f}`" for f in kind.model_fields if f not in ("id", "at"))
        who = ", ".join(reacting.get(name, [])) or "-"
        lines.append(f"| `{name}` | {fields} | `{kind.about}` | {who} |")
    return "\n".join(lines) + "\n"


def problems() -> str:
    """Every problem an answer may carry."""
    lines = [
        "# Problems",
        "",
        "Every error is `application/problem+json` (RFC 9457): `type` is `/problems/<code>`,",
        "`detail` a sentence for people. A 422 points at each wrong field in `errors`.",
        "",
        "| code | status | meaning |",
        "|---|---|---|",
    ]
    for code, kind in Problem.all().items():
        says = inspect.getdoc(kind) if kind.__doc__ else ""
        first = (says or "").split("\n\n")[0].replace("\n", " ")
        lines.append(f"| `{code}` | {kind.status} | {first} |")
    return "\n".join(lines) + "\n"


def settings() -> str:
    """Every setting, its default and meaning."""
    lines = [
        "# Settings",
        "",
        "Environment variables. `DATABASE_URL`, `REDIS_URL`, `REDIS_HOST`, `REDIS_PORT` and "
        "`APP_PORT` are read too.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    own = [name for name in Settings.__annotations__ if name in Settings.model_fields]
    for name in dict.fromkeys([*own, *Settings.model_fields]):  # then those of parts of it
        field = Settings.model_fields[name]
        default = field.get_default(call_default_factory=True)
        if isinstance(default, SecretStr):
            default = "for development only"
        elif isinstance(default, frozenset):
            default = ",".join(sorted(default))
        elif isinstance(default, tuple):
            default = ",".join(map(str, default))
        shown = f"`{default}`" if default not in ("", {}, None) else ""
        choices = [str(each) for each in get_args(field.annotation) if isinstance(each, str)]
        says = field.description or f"One of {', '.join(choices)}."
        lines.append(f"| `LENDERY_{name.upper()}` | {shown} | {says} |")
    return "\n".join(lines) + "\n"


def permissions() -> str:
    """Who may do what."""
    lines = [
        "# Permissions",
        "",
        "| permission | reader | librarian | admin |",
        "|---|---|---|---|",
    ]
    for permission in Permission:
        marks = " | ".join("yes" if permission in GRANTED[role] else "" for role in GRANTED)
        lines.append(f"| `{permission}` | {marks} |")
    return "\n".join(lines) + "\n"


PAGES = {
    "rules.md": rules,
    "events.md": events,
    "problems.md": problems,
    "settings.md": settings,
    "permissions.md": permissions,
}


def main() -> int:
    stale = []
    for name, page in PAGES.items():
        text = NOTE + page()
        path = DOCS / name
        if "--check" in sys.argv[1:]:
            if not path.exists() or path.read_text() != text:
                stale.append(name)
        else:
            path.write_text(text)
    if stale:
        print(f"Out of date: {', '.join(stale)}. Run: .venv/bin/python scripts/build_docs.py")
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
