"""A report in the form that is wanted: pure functions from its rows to bytes.

cells.py   what a cell says to people, and what a spreadsheet must not take for a formula
sheets.py  CSV (RFC 4180) and XLSX
paper.py   PDF, to be printed
chart.py   SVG
"""

from collections.abc import Callable
from datetime import date

from lendery.contracts.base import Invalid
from lendery.contracts.reports import Form, Report, ReportTooLong
from lendery.reports.forms.chart import BARS, DRAWN, drawn
from lendery.reports.forms.paper import printed
from lendery.reports.forms.sheets import comma_separated, workbook

MEDIA: dict[Form, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8; header=present",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "svg": "image/svg+xml",
}
# Rows at most. Beyond, the report is refused and not cut.
MOST: dict[Form, int] = {"json": 100, "csv": 100_000, "xlsx": 100_000, "pdf": 2_000, "svg": 800}
MAKERS: dict[Form, Callable[[Report], bytes]] = {
    "csv": comma_separated,
    "xlsx": workbook,
    "pdf": printed,
    "svg": drawn,
    "json": lambda report: report.model_dump_json(exclude={"next_cursor", "total"}).encode(),
}


def many_for(name: str, form: Form) -> int:
    """How many rows to ask for. A drawing shows the first bars, but all days."""
    return BARS if form == "svg" and name != "loans-by-day" else MOST[form]


def made(report: Report, form: Form) -> bytes:
    """Raises ReportTooLong when there are more rows, Invalid when there is no drawing of it."""
    if form == "svg" and report.name not in DRAWN:
        says = "There is no chart of this report. Take another form."
        raise Invalid(says, errors=[{"parameter": "format", "says": says}])
    some_do = form == "svg" and report.name != "loans-by-day"
    if report.next_cursor and not some_do:
        raise ReportTooLong(
            f"More than {MOST[form]:,} rows: too many for {form.upper()}. "
            "Ask for a shorter period, or for one branch.",
            most=MOST[form],
        )
    return MAKERS[form](report)


def file_name(report: Report, form: Form) -> str:
    """loans-by-day-2026-03-01-2026-03-31.csv."""
    days: list[date] = [each for each in (report.since, report.until) if each]
    return "-".join([report.name, *map(str, days or [report.as_of.date()])]) + f".{form}"
