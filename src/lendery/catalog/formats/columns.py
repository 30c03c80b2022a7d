"""Which column of a table holds which of our fields, by the names that libraries give them."""

from collections.abc import Sequence

from lendery.catalog.formats.values import Profile, Refused
from lendery.catalog.rules.fold import fold

# English, German, Spanish, French; folded, so without accents and capitals.
_NAMES = {
    "title": "title, book title, main title, titel, haupttitel, titulo, titre",
    "subtitle": "subtitle, sub title, other title, untertitel, zusatz zum titel, subtitulo, "
    "sous titre, sous-titre",
    "authors": "authors, author, creator, creators, written by, verfasser, verfasserin, autor, "
    "autorin, autoren, autores, autor(es), auteur, auteurs, autrice",
    "isbns": "isbn, isbns, isbn13, isbn 13, isbn-13, isbn10, isbn 10, isbn-10, isbn/issn, ean",
    "publisher": "publisher, imprint, verlag, editorial, editeur, maison d'edition, editora",
    "published_year": "published_year, publishedyear, year, publication year, year published, "
    "published, publication date, date, pub year, original publication year, jahr, "
    "erscheinungsjahr, ano, ano de publicacion, fecha, annee, annee de publication, "
    "date de parution",
    "language": "language, languages, language code, lang, sprache, idioma, lengua, langue",
    "subjects": "subjects, subject, topics, keywords, tags, categories, category, schlagwort, "
    "schlagworte, schlagworter, thema, materia, materias, temas, palabras clave, sujet, sujets, "
    "mots cles, mots-cles, matieres",
    "description": "description, summary, abstract, annotation, beschreibung, zusammenfassung, "
    "inhalt, inhaltsangabe, descripcion, resumen, resume",
    "series": "series, series title, collection, reihe, schriftenreihe, serie, coleccion",
    "series_number": "series_number, series number, volume, series volume, band, bandnummer, "
    "numero de serie, volumen, numero dans la serie, tome",
    "call_number": "call_number, call number, callnumber, shelfmark, classification, class, dewey, "
    "ddc, lcc, signatur, systematik, signatura, signatura topografica, cote, cote de rangement",
    "material": "material, material type, format, type, medium, medienart, mediengruppe, "
    "tipo de material, soporte, support, type de document",
    "control_number": "control_number, control number, record id, id, record number, bib id, "
    "biblionumber, book id, mediennummer, titel-id, titelnummer, numero de control, "
    "numero de notice",
    "other_numbers": "other_numbers, other numbers, oclc, oclc number, lccn",
    "barcode": "barcode, barcodes, item barcode, accession number, exemplarnummer, strichcode, "
    "inventarnummer, codigo de barras, code barres, code-barres, code a barres",
    "branch": "branch, library, home library, location code, zweigstelle, bibliothek, standort, "
    "biblioteca, sucursal, bibliotheque, site",
    "item_type": "item_type, item type, itype, loan type, exemplartyp, ausleihtyp, "
    "tipo de ejemplar, type d'exemplaire",
    "location": "location, shelving location, collection code, aufstellung, aufstellungsort, "
    "ubicacion, emplacement, localisation",
    "copy_call_number": "copy_call_number, item call number, copy call number",
    "price": "price, cost, replacement price, preis, anschaffungspreis, precio, prix",
    "note": "note, notes, item note, notiz, bemerkung, nota, notas, remarque",
}
FIELDS = tuple(_NAMES)
_FIELD_OF = {name.strip(): field for field, names in _NAMES.items() for name in names.split(", ")}


def columns(header: Sequence[str], profile: Profile) -> dict[str, int]:
    """Our field -> place of its column: as the profile says, else as the names suggest.

    Raises Refused if there is no title, or a column that the profile names is not there.
    """
    folded = [_folded(name) for name in header]
    found: dict[str, int] = {}
    for field, column in profile.columns.items():
        if field not in _NAMES:
            raise Refused(f"The profile maps {field!r}, which is no field of a book or copy.")
        found[field] = _place(column, folded, header)
    if profile.header:
        taken = set(found.values())
        for place, name in enumerate(folded):
            field = _FIELD_OF.get(name, "")
            if field and field not in found and place not in taken:
                found[field] = place
    if "title" not in found:
        names = ", ".join(name[:40] for name in header[:20])
        raise Refused(f"No column is known to hold the title. The columns are: {names}.")
    return found


def _folded(name: str) -> str:
    return " ".join(fold(name.replace("_", " ")).split()) if "_" in name else fold(name).strip()


def _place(column: str | int, folded: list[str], header: Sequence[str]) -> int:
    if isinstance(column, int):
        if not 0 <= column < len(header):
            raise Refused(f"There is no column {column}: the first row has {len(header)}.")
        return column
    wanted = _folded(column)
    if wanted not in folded:
        raise Refused(f"There is no column called {column!r}.")
    return folded.index(wanted)


_FIELD_OF |= {_folded(name): field for name, field in _FIELD_OF.items()}
