"""Benachrichtigungen auf Deutsch, und wie Daten und Beträge geschrieben werden."""

from collections.abc import Mapping

from lendery.contracts.notices import Kind

MONTHS = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli"),
    *("August", "September", "Oktober", "November", "Dezember"),
)
DATE = "{day}. {month} {year}"
POINT = ","
WORDS: Mapping[str, str] = {
    "late": "verspätete Rückgabe",
    "hold": "Vormerkung",
    "lost": "verlorenes Medium",
    "damaged": "beschädigtes Medium",
    "card": "neuer Ausweis",
    "other": "Sonstiges",
    "cash": "bar",
    "transfer": "Überweisung",
    "loans-by-day": "Ausleihen nach Tag",
    "loans-by-branch": "Ausleihen nach Zweigstelle",
    "loans-by-category": "Ausleihen nach Benutzergruppe",
    "loans-by-subject": "Ausleihen nach Schlagwort",
    "top-titles": "Meistentliehene Titel",
    "turnover-by-branch": "Umschlag nach Zweigstelle",
    "turnover-by-item-type": "Umschlag nach Medienart",
    "hold-ratios": "Nachzukaufende Bücher",
    "overdue": "Überfällige Ausleihen",
    "money": "Geld nach Tag und Theke",
    "money-by-kind": "Geld nach Art",
    "dead-stock": "Lange nicht Entliehenes",
    "collection-age": "Alter des Bestands",
}
GREETING = "Guten Tag {{ name }},\n\n"
CLOSING = (
    "\n\n{{ library }}\n{{ url }}"
    "{% if unsubscribe %}\n\nKeine solchen E-Mails mehr: {{ unsubscribe }}{% endif %}"
)
DIGEST = (
    "{{ notices|length }} {% if notices|length == 1 %}Nachricht{% else %}Nachrichten{% endif %} "
    "von {{ library }}",
    "Guten Tag {{ name }},\n{% for notice in notices %}\n{{ notice.subject }}\n"
    "{{ notice.body }}\n{% endfor %}",
)
_ONE = "{% if title %}„{{ title }}“{% else %}Das vorgemerkte Medium{% endif %}"
_LIST = (
    "{% for item in items %}\n- {% if item.title %}„{{ item.title }}“, {% endif %}"
    "fällig am {{ item.due_on }}{% if item.branch %} ({{ item.branch }}){% endif %}{% endfor %}"
)
_ARE_DUE = "{% if count == 1 %}Ein Medium ist{% else %}{{ count }} Medien sind{% endif %}"
TEXTS: Mapping[Kind, tuple[str, str]] = {
    "hold-ready": (
        "Zur Abholung bereit",
        f"{_ONE} liegt für Sie bereit: {{{{ branch }}}}"
        "{% if expires_on %}, bis {{ expires_on }}{% endif %}.",
    ),
    "hold-expiring": (
        "Bitte bald abholen",
        f"{_ONE} liegt noch bis {{{{ expires_on }}}} für Sie bereit: {{{{ branch }}}}. "
        "Danach geht es an die nächste Person.",
    ),
    "hold-expired": (
        "Ihre Vormerkung ist abgelaufen",
        f"{_ONE} wurde nicht rechtzeitig abgeholt ({{{{ branch }}}}) "
        "und geht an die nächste Person.",
    ),
    "hold-cancelled": (
        "Ihre Vormerkung wurde storniert",
        f"{_ONE} ist nicht mehr für Sie vorgemerkt.",
    ),
    "due-soon": (
        "Bald fällig",
        f"{_ARE_DUE} bald fällig:{_LIST}\n\nBitte rechtzeitig zurückgeben oder verlängern.",
    ),
    "overdue-1": (
        "Überfällig: bitte zurückgeben",
        f"{_ARE_DUE} überfällig:{_LIST}\n\nBitte zurückgeben oder verlängern.",
    ),
    "overdue-2": (
        "Zweite Mahnung",
        f"{_ARE_DUE} seit einiger Zeit überfällig:{_LIST}\n\n"
        "Bitte geben Sie zurück. Andere warten vielleicht, und Gebühren können steigen.",
    ),
    "overdue-3": (
        "Letzte Mahnung",
        f"Dies ist unsere letzte Mahnung. {_ARE_DUE} seit langem überfällig:{_LIST}\n\n"
        "Kommt nichts zurück, müssen wir Ihnen den Verlust vielleicht berechnen. "
        "Bitte sprechen Sie mit uns, wenn etwas schiefgegangen ist.",
    ),
    "loan-renewed": (
        "Für Sie verlängert",
        "{% if title %}„{{ title }}“{% else %}Ein entliehenes Medium{% endif %} wurde für Sie "
        "verlängert und ist jetzt am {{ due_on }} fällig.",
    ),
    "account-expiring": (
        "Ihr Bibliotheksausweis läuft bald ab",
        "Ihr Bibliotheksausweis gilt bis {{ expires_on }}. "
        "Bitte lassen Sie ihn an der Theke verlängern.",
    ),
    "payment-received": (
        "Quittung: {{ amount }}",
        "Wir haben {{ amount }} erhalten ({{ method }}). Ihr Kontostand ist jetzt {{ balance }}.",
    ),
    "charge-added": (
        "Gebühr: {{ amount }}",
        "Ihrem Konto wurden {{ amount }} belastet ({{ reason }}). "
        "Ihr Kontostand ist jetzt {{ balance }}.",
    ),
    "report": (
        "Bericht: {{ report }}{% if since_on %}, {{ since_on }} bis {{ until_on }}{% endif %}",
        "Dies ist der Bericht, den Sie abonniert haben: {{ report }}, "
        "{% if branch %}{{ branch }}{% else %}alle Zweigstellen{% endif %}"
        "{% if since_on %}, {{ since_on }} bis {{ until_on }}{% endif %}.\n\n"
        "{% if too_long %}Er ist zu lang für eine E-Mail, darum gibt es keine Datei. Abonnieren "
        "Sie ihn für eine Zweigstelle, einen kürzeren Zeitraum oder in anderer Form, oder lesen "
        "Sie ihn in Teilen: {{ url }}{{ path }}{% else %}"
        "Die Datei liegt der E-Mail bei.{% endif %}",
    ),
}
