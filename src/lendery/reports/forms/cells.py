"""What a cell says to people."""

import re

from lendery.contracts.reports import Cell, Column, Report

# ISO 4217: how many digits after the point, where it is not two.
PLACES = dict.fromkeys(
    (
        *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
        *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
    ),
    0,
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)
_FORMULA = re.compile(r"'*\s*[=+\-@\t\r\n|%＝＋－＠]")


def places(row: dict[str, Cell]) -> int:
    """How many digits after the point the row's currency has."""
    return PLACES.get(str(row.get("currency")), 2)


def said(column: Column, row: dict[str, Cell]) -> str:
    """The cell as text: 12.40 for money, nothing where nothing is known."""
    value = row[column.key]
    if value is None:
        return ""
    match column.kind:
        case "money":
            after = places(row)
            return f"{int(value) / 10**after:.{after}f}"
        case "ratio":
            return f"{float(value):.2f}"
    return str(value)


def harmless(text: str) -> str:
    """So that a spreadsheet takes it for text: a formula begins with = + - @ (CSV injection).

    What already begins with an apostrophe before such a sign gets another, so that one can be
    taken away again.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def about(report: Report) -> list[tuple[str, str]]:
    """What must be known to read the numbers."""
    lines = [("Report", report.title), ("What it tells", report.says)]
    if report.since and report.until:
        lines.append(("Period", f"{report.since} to {report.until}"))
    lines.append(("Branch", report.branch or "all branches"))
    lines.append(("As of", f"{report.as_of:%Y-%m-%d %H:%M} UTC"))
    return lines
