"""MARC as XML, written. xmlstream.py reads it."""

from xml.sax.saxutils import escape, quoteattr

from lendery.catalog.formats.record import SUBFIELD, Record, is_control

NAMESPACE = "http://www.loc.gov/MARC21/slim"
HEAD = f'<?xml version="1.0" encoding="UTF-8"?>\n<collection xmlns="{NAMESPACE}">\n'.encode()
TAIL = b"</collection>\n"
_NOT_IN_XML = str.maketrans(
    dict.fromkeys([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0xFFFE, 0xFFFF], None)
)


def build(record: Record) -> bytes:
    """One record element, without the declaration of the namespace, which the collection has."""
    lines = ["<record>", f"  <leader>{_safe(record.leader)}</leader>"]
    for tag, text in record.fields:
        if is_control(tag) or SUBFIELD not in text:
            lines.append(f"  <controlfield tag={quoteattr(tag)}>{_safe(text)}</controlfield>")
            continue
        marks, *parts = text.split(SUBFIELD)
        first, second = (quoteattr(_safe_sign(mark)) for mark in marks.ljust(2)[:2])
        lines.append(f"  <datafield tag={quoteattr(tag)} ind1={first} ind2={second}>")
        for part in parts:
            code, value = quoteattr(_safe_sign(part[:1])), _safe(part[1:])
            lines.append(f"    <subfield code={code}>{value}</subfield>")
        lines.append("  </datafield>")
    lines.append("</record>\n")
    return "\n".join(lines).encode("utf-8", "replace")


def _safe(text: str) -> str:
    return escape(text.translate(_NOT_IN_XML), {"\r": "&#13;"})


def _safe_sign(sign: str) -> str:
    return sign.translate(_NOT_IN_XML) or " "
