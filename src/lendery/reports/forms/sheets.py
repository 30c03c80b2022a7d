"""Reports for spreadsheets: CSV by RFC 4180, and XLSX.

Words from the catalogue come from everywhere. None of them becomes a formula: in CSV an
apostrophe stands before it, in XLSX it is written as text.
"""

import csv
import io
from datetime import date, datetime
from typing import Any

from lendery.contracts.reports import Cell, Column, Report
from lendery.reports.forms.cells import about, harmless, places, said

WIDTHS = {"text": 32, "id": 38, "day": 12, "count": 10, "ratio": 10, "money": 12}


def comma_separated(report: Report) -> bytes:
    """UTF-8, a line of headings, CRLF. Money in units, with a point."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column.says for column in report.columns])
    for row in report.items:
        writer.writerow([harmless(said(column, row)) for column in report.columns])
    return text.getvalue().encode()


def workbook(report: Report) -> bytes:
    """Two sheets: the rows, and what must be known to read them."""
    from xlsxwriter import Workbook  # takes a while, and few ask for it

    out = io.BytesIO()
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = Workbook(out, {"in_memory": True, "constant_memory": True, **plain})
    book.set_properties(
        {"title": report.title, "created": report.as_of.astimezone().replace(tzinfo=None)}
    )
    _rows(book, report)
    sheet, bold = book.add_worksheet("About"), book.add_format({"bold": True})
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 100)
    for number, (what, says) in enumerate(about(report)):
        sheet.write_string(number, 0, what, bold)
        sheet.write_string(number, 1, says)
    book.close()
    return out.getvalue()


def _rows(book: Any, report: Report) -> None:
    sheet, bold = book.add_worksheet(report.title[:31]), book.add_format({"bold": True})
    shown = {
        "day": book.add_format({"num_format": "yyyy-mm-dd"}),
        "ratio": book.add_format({"num_format": "0.00"}),
        "count": book.add_format({"num_format": "#,##0"}),
        0: book.add_format({"num_format": "#,##0"}),
        2: book.add_format({"num_format": "#,##0.00"}),
        3: book.add_format({"num_format": "#,##0.000"}),
    }
    for at, column in enumerate(report.columns):
        sheet.set_column(at, at, WIDTHS[column.kind])
        sheet.write_string(0, at, column.says, bold)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(1, len(report.items)), len(report.columns) - 1)
    for number, row in enumerate(report.items, 1):
        for at, column in enumerate(report.columns):
            _cell(sheet, number, at, column, row, shown)


def _cell(
    sheet: Any, number: int, at: int, column: Column, row: dict[str, Cell], shown: Any
) -> None:
    value = row[column.key]
    if value is None:
        return
    match column.kind:
        case "day":
            day = datetime.combine(date.fromisoformat(str(value)), datetime.min.time())
            sheet.write_datetime(number, at, day, shown["day"])
        case "money":
            after = places(row)
            sheet.write_number(number, at, int(value) / 10**after, shown[after])
        case "count" | "ratio":
            sheet.write_number(number, at, value, shown[column.kind])
        case _:
            sheet.write_string(number, at, str(value)[:32_767])
