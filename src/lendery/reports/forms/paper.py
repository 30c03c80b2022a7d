"""Reports on paper: A4 across, headings on each page, pages numbered.

The font is embedded and has Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew and Arabic
letters. What it has not is shown as a box; Chinese, Japanese and Korean titles are better read
in the other forms.
"""

from importlib.resources import files
from typing import Any

from lendery.contracts.reports import Column, Report
from lendery.reports.forms.cells import about, said

PARTS = {"text": 5.0, "id": 3.0, "day": 2.0, "count": 1.6, "ratio": 1.6, "money": 2.0}
LINE = 6.0  # millimetres
FOOT = 14.0
LIGHT, INK, MUTED = (244, 246, 248), (27, 35, 48), (74, 85, 101)


def printed(report: Report) -> bytes:
    """PDF. Ids are left out: nobody types them from paper."""
    from fpdf import FPDF  # takes a while, and few ask for it

    pdf: Any = FPDF(orientation="landscape", format="A4")
    pdf.add_font("Sans", fname=str(files("lendery.reports.forms") / "font" / "DejaVuSans.ttf"))
    pdf.set_title(report.title)
    pdf.set_lang("en")
    pdf.set_creator("Lendery")
    pdf.set_creation_date(report.as_of)
    pdf.set_auto_page_break(False)
    pdf.alias_nb_pages("{pages}")
    columns = [column for column in report.columns if column.kind != "id"]
    whole = sum(PARTS[column.kind] for column in columns)
    widths = [pdf.epw * PARTS[column.kind] / whole for column in columns]
    _page(pdf)
    _head(pdf, report)
    _headings(pdf, columns, widths)
    for number, row in enumerate(report.items):
        if pdf.y + LINE > pdf.h - FOOT:
            _page(pdf)
            _headings(pdf, columns, widths)
        texts = [said(column, row) for column in columns]
        _line(pdf, columns, widths, texts, shaded=number % 2 == 1)
    if not report.items:
        pdf.cell(0, LINE * 2, "Nothing to report.", new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())


def _page(pdf: Any) -> None:
    pdf.add_page()
    pdf.set_font("Sans", size=8)
    pdf.set_text_color(*MUTED)
    pdf.set_y(pdf.h - FOOT + 2)
    pdf.cell(0, LINE, f"{pdf.page_no()} / {{pages}}", align="R")
    pdf.set_y(pdf.t_margin)
    pdf.set_text_color(*INK)


def _head(pdf: Any, report: Report) -> None:
    (_, title), *rest = about(report)
    pdf.set_font("Sans", size=16)
    pdf.cell(0, 9, title, new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("Sans", size=9)
    for what, says in rest:
        pdf.multi_cell(0, 5, f"{what}: {says}", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(3)


def _headings(pdf: Any, columns: list[Column], widths: list[float]) -> None:
    _line(pdf, columns, widths, [column.says for column in columns], shaded=True)
    pdf.set_draw_color(*MUTED)
    pdf.line(pdf.l_margin, pdf.y, pdf.w - pdf.r_margin, pdf.y)


def _line(
    pdf: Any, columns: list[Column], widths: list[float], texts: list[str], *, shaded: bool
) -> None:
    pdf.set_font("Sans", size=8)
    pdf.set_fill_color(*LIGHT)
    for column, width, text in zip(columns, widths, texts, strict=True):
        align = "R" if column.kind in ("count", "ratio", "money") else "L"
        pdf.cell(width, LINE, _fitting(pdf, text, width - 2), align=align, fill=shaded)
    pdf.ln(LINE)


def _fitting(pdf: Any, text: str, width: float) -> str:
    """As much of it as there is room for."""
    if pdf.get_string_width(text) <= width:
        return text
    while text and pdf.get_string_width(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"
