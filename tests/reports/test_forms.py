"""Every form is read back by somebody else's program."""

import csv
import io
import re
from datetime import UTC, date, datetime
from typing import Any, get_args
from uuid import UUID
from xml.etree import ElementTree

import pytest
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape
from pypdf import PdfReader

from lendery.contracts.base import Invalid
from lendery.contracts.reports import Form, Report, ReportName, ReportTooLong
from lendery.reports.forms import MOST, file_name, made, many_for
from lendery.reports.forms.cells import harmless
from lendery.reports.forms.chart import BARS, DRAWN
from lendery.reports.rules.kinds import BY_NAME, LISTED

AS_OF = datetime(2026, 3, 31, 18, 5, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"
FORMULAS = [
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "|calc", "%0", "'=1", "''=1", "＝1",
]  # fmt: skip
HARMLESS = ["", "1984", "'Salem's Lot", "A=B", "Emma", "'"]


def a_report(name: Any, items: list[dict[str, Any]], **but: Any) -> Report:
    info = BY_NAME[name]
    dated = "from" in info.parameters
    told = {
        "name": name,
        "title": info.title,
        "says": info.says,
        "since": date(2026, 3, 1) if dated else None,
        "until": date(2026, 3, 31) if dated else None,
        "branch_id": None,
        "branch": None,
        "as_of": AS_OF,
        "columns": info.columns,
        "items": [dict.fromkeys(each.key for each in info.columns) | row for row in items],
    }
    return Report(**(told | but))


TITLES = a_report(
    "top-titles",
    [
        {"book_id": str(UUID(int=1)), "title": 'Ja, "und"\nso', "authors": "Ä; Ö", "lent": 12},
        {"book_id": str(UUID(int=2)), "title": "=HYPERLINK(A1)", "authors": None, "lent": 3},
        {"book_id": str(UUID(int=3)), "title": "Война и мир <b>&", "authors": "Толстой", "lent": 1},
    ],
)
MONEY = a_report(
    "money",
    [
        {"day": "2026-03-01", "branch": "Aotea", "kind": "charge", "currency": "EUR", "lines": 2,
         "amount": 1240},
        {"day": "2026-03-02", "kind": "payment", "currency": "JPY", "lines": 1, "amount": 500},
        {"day": "2026-03-02", "kind": "refund", "currency": "KWD", "lines": 1, "amount": 7},
    ],
)  # fmt: skip


def the_lines(report: Report) -> list[list[str]]:
    text = made(report, "csv").decode()
    assert text.endswith("\r\n")
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def test_csv_is_read_back() -> None:
    head, *rows = the_lines(TITLES)
    assert head == ["Book id", "Title", "Authors", "Loans"]
    assert rows == [
        [str(UUID(int=1)), 'Ja, "und"\nso', "Ä; Ö", "12"],
        [str(UUID(int=2)), "'=HYPERLINK(A1)", "", "3"],
        [str(UUID(int=3)), "Война и мир <b>&", "Толстой", "1"],
    ]
    assert [row[-1] for row in the_lines(MONEY)] == ["Amount", "12.40", "500", "0.007"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_text_in_csv(text: str) -> None:
    assert harmless(text) == f"'{text}"
    (_, row) = the_lines(a_report("loans-by-subject", [{"subject": text, "lent": 1}]))
    assert row == [f"'{text}", "1"]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_formula_stays(text: str) -> None:
    assert harmless(text) == text


def test_xlsx_is_read_back() -> None:
    book = load_workbook(io.BytesIO(made(TITLES, "xlsx")))
    sheet = book["Top titles"]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0] == ("Book id", "Title", "Authors", "Loans")
    assert rows[2] == (str(UUID(int=2)), "=HYPERLINK(A1)", None, 3)
    assert [cell.data_type for cell in sheet["B"]] == ["s"] * 4  # text, and no formula
    assert not any(cell.hyperlink for row in sheet for cell in row)
    told = dict(book["About"].iter_rows(values_only=True))
    assert told["Period"] == "2026-03-01 to 2026-03-31"
    assert told["As of"] == "2026-03-31 18:05 UTC"


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_text_in_xlsx(text: str) -> None:
    report = a_report("loans-by-subject", [{"subject": text, "lent": 1}])
    cell = load_workbook(io.BytesIO(made(report, "xlsx"))).worksheets[0]["A2"]
    assert cell.data_type == "s"
    assert unescape(cell.value).strip() == text.strip()


def test_xlsx_has_days_and_money_as_such() -> None:
    sheet = load_workbook(io.BytesIO(made(MONEY, "xlsx"))).worksheets[0]
    first = [cell.value for cell in sheet[2]]
    assert first == [datetime(2026, 3, 1), None, "Aotea", "charge", "EUR", 2, 12.4]
    assert [sheet.cell(row, 7).value for row in (3, 4)] == [500, 0.007]
    assert [sheet.cell(row, 7).number_format for row in (2, 3, 4)] == [
        "#,##0.00", "#,##0", "#,##0.000",
    ]  # fmt: skip


def test_pdf_is_read_back_on_all_its_pages() -> None:
    rows = [{"day": f"2026-03-{n % 28 + 1:02d}", "lent": n, "renewed": 0, "returned": 1}
            for n in range(90)]  # fmt: skip
    read = PdfReader(io.BytesIO(made(a_report("loans-by-day", rows), "pdf")))
    texts = [page.extract_text() for page in read.pages]
    assert len(texts) == 4
    assert "Loans by day" in texts[0] and "Period: 2026-03-01 to 2026-03-31" in texts[0]
    assert all("Renewals" in text for text in texts)
    assert [re.findall(r"\d+ / \d+", text) for text in texts] == [[f"{n} / 4"] for n in range(1, 5)]
    assert "2026-03-06 89" in texts[-1]
    assert (read.metadata or {})["/Title"] == "Loans by day"
    assert read.pages[0].mediabox.width > read.pages[0].mediabox.height


def test_pdf_has_letters_of_many_scripts_and_shortens_what_does_not_fit() -> None:
    long = a_report("top-titles", [{"title": "Ω" * 300, "authors": "Толстой", "lent": 1}])
    text = PdfReader(io.BytesIO(made(long, "pdf"))).pages[0].extract_text()
    assert "Толстой" in text
    assert re.search("Ω{20,200}…", text)
    assert str(UUID(int=1)) not in text


def test_a_chart_is_read_back_and_tells_what_it_shows() -> None:
    root = ElementTree.fromstring(made(TITLES, "svg"))
    assert root.tag == f"{SVG}svg" and root.get("role") == "img"
    named = {each.get("id"): each.text for each in root if each.get("id")}
    assert root.get("aria-labelledby") == "title desc"
    assert named["title"] == "Top titles"
    most = 'Most: Ja, "und"\nso, 12.'
    assert named["desc"] == f"Loans, 2026-03-01 to 2026-03-31, all branches: 3 rows. {most}"
    texts = [each.text for each in root.iter(f"{SVG}text")]
    assert texts[2:] == ['Ja, "und"\nso', "12", "=HYPERLINK(A1)", "3", "Война и мир <b>&", "1"]
    bars = [each.attrib["width"] for each in root.iter(f"{SVG}rect") if "x" in each.attrib]
    assert bars == ["420.00", "105.00", "35.00"]


def test_a_chart_of_days_leaves_room_for_days_without_loans() -> None:
    rows = [{"day": f"2026-03-{n:02d}", "lent": n} for n in (1, 2, 10)]
    root = ElementTree.fromstring(made(a_report("loans-by-day", rows), "svg"))
    columns = [each.attrib for each in root.iter(f"{SVG}rect") if "x" in each.attrib]
    assert [float(each["x"]) for each in columns] == [40.0, 112.0, 688.0]
    assert [float(each["height"]) for each in columns] == [28.0, 56.0, 280.0]
    assert [each.text for each in root.iter(f"{SVG}text")][2:] == ["10", "2026-03-01", "2026-03-10"]


@pytest.mark.parametrize("info", LISTED, ids=lambda info: info.name)
def test_there_is_an_empty_answer_in_every_form(info: Any) -> None:
    empty = a_report(info.name, [])
    assert the_lines(empty) == [[column.says for column in info.columns]]
    assert load_workbook(io.BytesIO(made(empty, "xlsx"))).worksheets[0].max_row == 1
    assert info.chart == (info.name in DRAWN)
    if info.chart:
        assert b"Nothing to report." in made(empty, "svg")
    else:
        with pytest.raises(Invalid) as refused:
            made(empty, "svg")
        assert refused.value.extra["errors"][0]["parameter"] == "format"


def test_an_empty_pdf_says_so() -> None:
    (page,) = PdfReader(io.BytesIO(made(a_report("overdue", []), "pdf"))).pages
    assert "Nothing to report." in page.extract_text()


@pytest.mark.parametrize("form", ["csv", "xlsx", "pdf"])
def test_a_report_with_more_rows_is_refused_and_not_cut(form: Form) -> None:
    cut = TITLES.model_copy(update={"next_cursor": "more"})
    with pytest.raises(ReportTooLong) as refused:
        made(cut, form)
    assert refused.value.extra["most"] == MOST[form]
    assert many_for("top-titles", form) == MOST[form]


def test_a_chart_of_more_rows_says_that_it_shows_the_first() -> None:
    cut = TITLES.model_copy(update={"next_cursor": "more"})
    assert b"the first 3 rows" in made(cut, "svg")
    assert many_for("top-titles", "svg") == BARS
    days = a_report("loans-by-day", [], next_cursor="more")
    with pytest.raises(ReportTooLong):
        made(days, "svg")


def test_files_are_named_by_report_and_days() -> None:
    assert file_name(TITLES, "csv") == "top-titles-2026-03-01-2026-03-31.csv"
    assert file_name(a_report("overdue", []), "pdf") == "overdue-2026-03-31.pdf"


def test_there_is_each_report_that_is_promised() -> None:
    assert tuple(BY_NAME) == get_args(ReportName)
    for info in LISTED:
        keys = [column.key for column in info.columns]
        assert len(set(keys)) == len(keys)
        assert info.sort.removeprefix("-") in keys
