"""Reports as drawings: bars with their words and numbers beside them, columns for days.

Whoever cannot see it hears the title and what it comes to; every number is text, none is
told by colour or length alone.
"""

from datetime import date
from xml.etree import ElementTree as Xml

from lendery.contracts.reports import Column, Report
from lendery.reports.forms.cells import said

BARS = 20  # of more rows the first are drawn, and that is said
WIDTH, WORDS, ROW = 800, 280, 28
TALL, FOOT = 300, 40
ANCHORS = "start middle end"  # where a text has its point
LEFT, MIDDLE, RIGHT = ANCHORS.split()
INK, MUTED, BAR, PAPER = "#1b2330", "#4a5565", "#0b57a4", "#ffffff"
# What a bar is called, and how long it is.
DRAWN: dict[str, tuple[tuple[str, ...], str]] = {
    "loans-by-day": (("day",), "lent"),
    "loans-by-branch": (("branch",), "lent"),
    "loans-by-category": (("category",), "lent"),
    "loans-by-subject": (("subject",), "lent"),
    "top-titles": (("title",), "lent"),
    "turnover-by-branch": (("branch",), "turnover"),
    "turnover-by-item-type": (("item_type",), "turnover"),
    "hold-ratios": (("title",), "to_buy"),
    "overdue": (("branch",), "overdue"),
    "money-by-kind": (("kind", "currency"), "amount"),
    "collection-age": (("published", "branch"), "copies"),
}


def drawn(report: Report) -> bytes:
    """SVG, 800 wide. Columns when the rows are days, else bars."""
    keys, measure = DRAWN[report.name]
    column = next(each for each in report.columns if each.key == measure)
    named = [
        (", ".join(str(row[key]) for key in keys if row[key] is not None) or "not known", row)
        for row in report.items
    ]
    words = [name for name, _ in named]
    sizes = [float(row[measure] or 0) for _, row in named]
    texts = [said(column, row) for _, row in named]
    if report.name == "loans-by-day":
        root = _canvas(report, TALL + 60 + FOOT, _summary(report, column, words, sizes, texts))
        _columns(root, words, sizes, texts)
    else:
        height = 70 + ROW * max(1, len(words))
        root = _canvas(report, height, _summary(report, column, words, sizes, texts))
        _bars(root, words, sizes, texts)
    if not words:
        _text(root, WIDTH / 2, 80, "Nothing to report.", anchor=MIDDLE, fill=MUTED)
    made: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return made


def _canvas(report: Report, height: float, summary: str) -> Xml.Element:
    root = Xml.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {WIDTH} {height:g}",
            "width": str(WIDTH),
            "height": f"{height:g}",
            "role": "img",
            "lang": "en",
            "aria-labelledby": "title desc",
            "font-family": "system-ui, sans-serif",
            "font-size": "14",
        },
    )
    Xml.SubElement(root, "title", {"id": "title"}).text = report.title
    Xml.SubElement(root, "desc", {"id": "desc"}).text = summary
    Xml.SubElement(root, "rect", {"width": "100%", "height": "100%", "fill": PAPER})
    _text(root, 12, 26, report.title, size=18)
    _text(root, 12, 46, _span(report), fill=MUTED)
    return root


def _span(report: Report) -> str:
    where = report.branch or "all branches"
    if report.since and report.until:
        return f"{report.since} to {report.until}, {where}"
    return f"As of {report.as_of:%Y-%m-%d %H:%M} UTC, {where}"


def _summary(
    report: Report, column: Column, words: list[str], sizes: list[float], texts: list[str]
) -> str:
    if not words:
        return f"{_span(report)}. Nothing to report."
    most = max(range(len(sizes)), key=sizes.__getitem__)
    shown = f"the first {len(words)} rows" if report.next_cursor else f"{len(words)} rows"
    return f"{column.says}, {_span(report)}: {shown}. Most: {words[most]}, {texts[most]}."


def _bars(root: Xml.Element, words: list[str], sizes: list[float], texts: list[str]) -> None:
    room, longest = WIDTH - WORDS - 100, max([*sizes, 0]) or 1
    for number, (name, size, text) in enumerate(zip(words, sizes, texts, strict=True)):
        top = 60 + ROW * number
        length = max(0.0, size) / longest * room
        _text(root, WORDS - 8, top + 19, _short(name, 34), anchor=RIGHT)
        _rect(root, WORDS, top + 4, length, ROW - 8)
        _text(root, WORDS + length + 8, top + 19, text)


def _columns(root: Xml.Element, words: list[str], sizes: list[float], texts: list[str]) -> None:
    """Each day where it belongs, days without rows left empty."""
    if not words:
        return
    days = [date.fromisoformat(word) for word in words]
    first, span = min(days), (max(days) - min(days)).days + 1
    wide, tallest, base = (WIDTH - 80) / span, max([*sizes, 0]) or 1, 60 + TALL
    for day, size in zip(days, sizes, strict=True):
        height = size / tallest * (TALL - 20)
        left = 40 + (day - first).days * wide
        _rect(root, left, base - height, max(0.5, wide * 0.8), height)
    most = max(range(len(sizes)), key=sizes.__getitem__)
    middle = 40 + ((days[most] - first).days + 0.4) * wide
    top = base - sizes[most] / tallest * (TALL - 20) - 6
    _text(root, min(max(middle, 60), WIDTH - 60), top, texts[most], anchor=MIDDLE)
    _text(root, 40, base + 22, str(first))
    if span > 1:
        _text(root, WIDTH - 40, base + 22, str(max(days)), anchor=RIGHT)


def _rect(root: Xml.Element, x: float, y: float, width: float, height: float) -> None:
    spot = {"x": x, "y": y, "width": width, "height": height}
    Xml.SubElement(root, "rect", {k: f"{v:.2f}" for k, v in spot.items()} | {"fill": BAR})


def _text(
    root: Xml.Element,
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = LEFT,
    fill: str = INK,
    size: int = 14,
) -> None:
    spot = {"x": f"{x:.2f}", "y": f"{y:.2f}", "text-anchor": anchor, "fill": fill}
    Xml.SubElement(root, "text", spot | {"font-size": str(size)}).text = text


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
