"""Days, languages and amounts as people say them."""

from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def zone(name: str | None) -> tzinfo:
    """A branch's time zone; UTC when this machine does not know it."""
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        return UTC


def said_day(day: date, today: date | None = None) -> str:
    """Mon 14 Dec; with the year when it is not this year's."""
    year = f" {day.year}" if today is None or today.year != day.year else ""
    return f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}{year}"


def said_time(at: datetime, where: str | None, now: datetime) -> str:
    """The day at the branch; the minute too, unless the day's end is meant."""
    there, today = at.astimezone(zone(where)), now.astimezone(zone(where)).date()
    day = said_day(there.date(), today)
    if (there.hour, there.minute) == (23, 59):
        return day
    return f"{day}, {there:%H:%M}"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th ... 11th, 12th, 13th ... 21st."""
    last = number % 10 if number % 100 not in (11, 12, 13) else 0
    return f"{number}{ENDINGS.get(last, 'th')}"


def short_name(name: str) -> str:
    """A. Reed for Ann Reed: enough to find a shelf slip, too little to tell a stranger."""
    first, *others = name.split() or [""]
    return f"{first[0]}. {others[-1]}" if others else first


def last_digits(card: str | None) -> str:
    """The end of a card number, for the same slip."""
    return card[-4:] if card else ""


def language_name(code: str | None) -> str:
    """English for `en` and `eng`; a code nobody here knows stays as it is."""
    if not code:
        return ""
    return LANGUAGES.get(THREE_LETTERS.get(code, code), code)


LANGUAGES = {
    "ar": "Arabic",
    "be": "Belarusian",
    "bg": "Bulgarian",
    "bn": "Bengali",
    "bo": "Tibetan",
    "ca": "Catalan",
    "cs": "Czech",
    "cy": "Welsh",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "eo": "Esperanto",
    "es": "Spanish",
    "et": "Estonian",
    "eu": "Basque",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "fy": "Frisian",
    "ga": "Irish",
    "gd": "Scottish Gaelic",
    "gl": "Galician",
    "he": "Hebrew",
    "hi": "Hindi",
    "hr": "Croatian",
    "hu": "Hungarian",
    "hy": "Armenian",
    "id": "Indonesian",
    "is": "Icelandic",
    "it": "Italian",
    "ja": "Japanese",
    "ka": "Georgian",
    "kha": "Khasi",
    "ko": "Korean",
    "la": "Latin",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "mi": "Maori",
    "mk": "Macedonian",
    "mn": "Mongolian",
    "ms": "Malay",
    "nah": "Nahuatl",
    "nb": "Norwegian Bokmål",
    "ne": "Nepali",
    "nl": "Dutch",
    "nn": "Norwegian Nynorsk",
    "no": "Norwegian",
    "oc": "Occitan",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sa": "Sanskrit",
    "sk": "Slovak",
    "sl": "Slovenian",
    "sq": "Albanian",
    "sr": "Serbian",
    "sv": "Swedish",
    "sw": "Swahili",
    "ta": "Tamil",
    "te": "Telugu",
    "th": "Thai",
    "tl": "Tagalog",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "ur": "Urdu",
    "vi": "Vietnamese",
    "yi": "Yiddish",
    "zh": "Chinese",
}
THREE_LETTERS = {
    "ara": "ar",
    "ces": "cs",
    "cym": "cy",
    "dan": "da",
    "deu": "de",
    "dut": "nl",
    "ell": "el",
    "eng": "en",
    "fas": "fa",
    "fin": "fi",
    "fra": "fr",
    "fre": "fr",
    "ger": "de",
    "grc": "el",
    "gre": "el",
    "heb": "he",
    "hun": "hu",
    "ita": "it",
    "jpn": "ja",
    "kor": "ko",
    "lat": "la",
    "nld": "nl",
    "nor": "no",
    "pol": "pl",
    "por": "pt",
    "rus": "ru",
    "spa": "es",
    "swe": "sv",
    "tur": "tr",
    "ukr": "uk",
    "zho": "zh",
}
