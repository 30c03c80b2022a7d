"""Authors' headings become names people would recognise."""

import pytest

from lendery.demo.headings import name_from_cover, name_from_heading, years_of_life

HEADINGS = [
    # heading, name, sort name, born, died
    ("Jefferson, Thomas, 1743-1826", "Thomas Jefferson", "Jefferson, Thomas", 1743, 1826),
    ("Austen, Jane", "Jane Austen", "Austen, Jane", None, None),
    (
        "Pollen, Maria Margaret, -1919",
        "Maria Margaret Pollen",
        "Pollen, Maria Margaret",
        None,
        1919,
    ),
    ("Black, Patti Carr, 1934-", "Patti Carr Black", "Black, Patti Carr", 1934, None),
    ("Polo, Marco, 1254-1323?", "Marco Polo", "Polo, Marco", 1254, 1323),
    ("Hayes, Edward, active 1602", "Edward Hayes", "Hayes, Edward", None, None),
    ("Liezi, active 4th century B.C.", "Liezi", "Liezi", None, None),
    ("Plato, 428 BCE-348 BCE", "Plato", "Plato", -428, -348),
    ("Plato, -428--348", "Plato", "Plato", -428, -348),
    ("Augustus, Emperor of Rome, -63-14", "Augustus", "Augustus, Emperor of Rome", -63, 14),
    ("Euripides, --406", "Euripides", "Euripides", None, -406),
    (
        "Kennedy, John F. (John Fitzgerald), 1917-1963",
        "John F. Kennedy",
        "Kennedy, John F.",
        1917,
        1963,
    ),
    ("Smith, Joseph, Jr., 1805-1844", "Joseph Smith Jr.", "Smith, Joseph, Jr.", 1805, 1844),
    ("Burton, Richard, Sir, 1821-1890", "Sir Richard Burton", "Burton, Richard, Sir", 1821, 1890),
    ("Oliphant, Mrs. (Margaret), 1828-1897", "Mrs. Oliphant", "Oliphant, Mrs.", 1828, 1897),
    ("Tolstoy, Leo, graf, 1828-1910", "Leo Tolstoy", "Tolstoy, Leo, graf", 1828, 1910),
    (
        "Tennyson, Alfred Tennyson, Baron, 1809-1892",
        "Alfred Tennyson",
        "Tennyson, Alfred Tennyson, Baron",
        1809,
        1892,
    ),
    (
        "Argyll, John Campbell, Duke of, 1845-1914",
        "John Campbell, Duke of Argyll",
        "Argyll, John Campbell, Duke of",
        1845,
        1914,
    ),
    (
        "Liebig, Justus, Freiherr von, 1803-1873",
        "Justus von Liebig",
        "Liebig, Justus, Freiherr von",
        1803,
        1873,
    ),
    ("Sade, marquis de, 1740-1814", "marquis de Sade", "Sade, marquis de", 1740, 1814),
    ("Orléans, Charles d'", "Charles d'Orléans", "Orléans, Charles d'", None, None),
    (
        "Augustine, of Hippo, Saint, 354-430",
        "Augustine of Hippo",
        "Augustine, of Hippo, Saint",
        354,
        430,
    ),
    ("Patrick, Saint", "Saint Patrick", "Patrick, Saint", None, None),
    (
        "Hume, Alexander, schoolmaster",
        "Alexander Hume",
        "Hume, Alexander, schoolmaster",
        None,
        None,
    ),
    ("Bede, Ann, 1800-1870 [Translator]", "Ann Bede", "Bede, Ann", 1800, 1870),
    ("Church, John, Jr.", "John Church Jr.", "Church, John, Jr.", None, None),
]

ORGANISATIONS = [
    "United States",
    "United States. Central Intelligence Agency",
    "Columbia Broadcasting System, Inc.",
    "Lawson McGhee Library, Knoxville, Tenn.",
    "Longman, Brown, Green, and Longmans",
    "Stamp Act Congress (1765 : New York, N.Y.)",
    "Karl Baedeker (Firm)",
    "Pennsylvania. General Assembly. Committee on the Riots in July, 1877",
]

YEARS = [
    ("1743-1826", (1743, 1826)),
    ("1743-", (1743, None)),
    ("-1826", (None, 1826)),
    ("1254-1323?", (1254, 1323)),
    ("1254?-1323", (1254, 1323)),
    ("approximately 1254-1324", (1254, 1324)),
    ("384-322 B.C.", (-384, -322)),
    ("384 BCE-322 BCE", (-384, -322)),
    ("63 B.C.-14 A.D.", (-63, 14)),
    ("-43-17", (-43, 17)),
    ("b. 1850", (1850, None)),
    ("died 1850?", (None, 1850)),
    ("active 1850", (None, None)),
    ("active 14th century", (None, None)),
    ("jin shi 1053", (None, None)),
    ("-", None),
    ("1877", None),
    ("Jane", None),
    ("2nd Baron", (None, None)),
]

COVERS = [
    ("Suzanne Collins", "Collins, Suzanne"),
    ("Ursula K. Le Guin", "Le Guin, Ursula K."),
    ("Simone de Beauvoir", "Beauvoir, Simone de"),
    ("Daphne du Maurier", "du Maurier, Daphne"),
    ("Kurt Vonnegut Jr.", "Vonnegut, Kurt, Jr."),
    ("Gabriel García Márquez", "García Márquez, Gabriel"),
    ("Augustine of Hippo", "Augustine, of Hippo"),
    ("Dr. Seuss", "Seuss, Dr."),
    ("Sun Tzu", "Sun Tzu"),
    ("Plato", "Plato"),
    ("أحمد مراد", "مراد, أحمد"),
    ("村上 春樹", "村上 春樹"),
    ("Walt Disney Company", "Walt Disney Company"),
    ("Thomas  Moore", "Moore, Thomas"),
]


@pytest.mark.parametrize(("heading", "name", "sort_name", "born", "died"), HEADINGS)
def test_an_inverted_heading_becomes_a_name(
    heading: str, name: str, sort_name: str, born: int | None, died: int | None
) -> None:
    found = name_from_heading(heading)

    assert found is not None
    assert (found.name, found.sort_name, found.born, found.died) == (name, sort_name, born, died)


@pytest.mark.parametrize("heading", ORGANISATIONS)
def test_an_organisation_keeps_its_commas(heading: str) -> None:
    found = name_from_heading(heading)

    assert found is not None
    assert (found.name, found.sort_name, found.born, found.died) == (heading, heading, None, None)


@pytest.mark.parametrize("heading", ["", "Anonymous", "Various", "Unknown", "unknown"])
def test_nobody_is_no_author(heading: str) -> None:
    assert name_from_heading(heading) is None
    assert name_from_cover(heading) is None


def test_a_chinese_author_keeps_the_family_name_first() -> None:
    found = name_from_heading("Luo, Guanzhong, 1330-1400", family_first=True)

    assert found is not None
    assert (found.name, found.sort_name) == ("Luo Guanzhong", "Luo, Guanzhong")


@pytest.mark.parametrize(("text", "years"), YEARS)
def test_years_of_life_are_told_from_other_words(
    text: str, years: tuple[int | None, int | None] | None
) -> None:
    assert years_of_life(text) == years


@pytest.mark.parametrize(("cover", "sort_name"), COVERS)
def test_a_name_on_a_cover_is_sorted_by_family(cover: str, sort_name: str) -> None:
    found = name_from_cover(cover)

    assert found is not None
    assert found.sort_name == sort_name
    assert found.name == " ".join(cover.split())
