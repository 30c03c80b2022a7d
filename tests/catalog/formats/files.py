"""The files that the tests of formats read."""

import io
from collections.abc import Iterable
from pathlib import Path

from lendery.catalog.formats import DEFAULT, Format, Parsed, Profile, opened, read, sniff

DATA = Path(__file__).parents[2] / "data"
MARC = DATA / "marc"


def marc_files() -> list[Path]:
    """Every file of records; licences and notes are none."""
    return sorted(
        path
        for path in MARC.glob("*/**/*")
        if path.is_file() and not path.name.startswith(("LICENSE", "test_marc8", "test_utf8"))
    )


def name_of(path: Path) -> str:
    return path.relative_to(MARC).as_posix()


def parsed(path: Path, profile: Profile = DEFAULT, start: int = 0) -> list[Parsed]:
    """The records of a file, its format sniffed as an import does it."""
    with path.open("rb") as file:
        source = opened(file)
        format = sniff(source.peek(1 << 16), path.name)  # type: ignore[attr-defined]
        return list(read(source, format, profile=profile, start=start))


def format_of(path: Path) -> Format:
    with path.open("rb") as file:
        return sniff(opened(file).peek(1 << 16), path.name)  # type: ignore[attr-defined]


def from_bytes(
    data: bytes, format: Format, profile: Profile = DEFAULT, start: int = 0
) -> list[Parsed]:
    return list(read(io.BytesIO(data), format, profile=profile, start=start))


def one(data: bytes, format: Format, profile: Profile = DEFAULT) -> Parsed:
    (found,) = from_bytes(data, format, profile)
    return found


def marc(fields: Iterable[tuple[str, str]], leader: str = "00000nam a2200000 i 4500") -> bytes:
    """A record in ISO 2709, written here on its own so that the writer is no judge of the reader.

    The text of a field is written with `$` for the sign 0x1F.
    """
    directory, body = b"", b""
    for tag, text in fields:
        data = text.replace("$", "\x1f").encode() + b"\x1e"
        directory += f"{tag}{len(data):04d}{len(body):05d}".encode()
        body += data
    base = 24 + len(directory) + 1
    head = leader.encode()
    size = base + len(body) + 1
    return b"%05d%s%05d%s%s\x1e%s\x1d" % (size, head[5:12], base, head[17:], directory, body)
