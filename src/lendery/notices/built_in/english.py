"""Notices in English, and how English spells dates and sums."""

from collections.abc import Mapping

from lendery.contracts.notices import Kind

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
DATE = "{day} {month} {year}"
POINT = "."
WORDS: Mapping[str, str] = {
    "late": "late return",
    "hold": "a hold",
    "lost": "a lost item",
    "damaged": "a damaged item",
    "card": "a new card",
    "other": "other",
    "cash": "cash",
    "transfer": "transfer",
    "loans-by-day": "Loans by day",
    "loans-by-branch": "Loans by branch",
    "loans-by-category": "Loans by patron category",
    "loans-by-subject": "Loans by subject",
    "top-titles": "Top titles",
    "turnover-by-branch": "Turnover by branch",
    "turnover-by-item-type": "Turnover by item type",
    "hold-ratios": "Books to buy more of",
    "overdue": "Overdue loans",
    "money": "Money by day and desk",
    "money-by-kind": "Money by kind",
    "dead-stock": "Dead stock",
    "collection-age": "Age of the collection",
}
GREETING = "Dear {{ name }},\n\n"
CLOSING = (
    "\n\n{{ library }}\n{{ url }}"
    "{% if unsubscribe %}\n\nTo get no more mails of this kind: {{ unsubscribe }}{% endif %}"
)
DIGEST = (
    "{{ notices|length }} {% if notices|length == 1 %}notice{% else %}notices{% endif %} "
    "from {{ library }}",
    "Dear {{ name }},\n{% for notice in notices %}\n{{ notice.subject }}\n{{ notice.body }}\n"
    "{% endfor %}",
)
_ONE = "{% if title %}“{{ title }}”{% else %}The item you reserved{% endif %}"
_LIST = (
    "{% for item in items %}\n- {% if item.title %}“{{ item.title }}”, {% endif %}"
    "due on {{ item.due_on }}{% if item.branch %} ({{ item.branch }}){% endif %}{% endfor %}"
)
_WHAT = "{% if count == 1 %}One item{% else %}{{ count }} items{% endif %}"
TEXTS: Mapping[Kind, tuple[str, str]] = {
    "hold-ready": (
        "Ready to be collected",
        f"{_ONE} is ready to be collected at {{{{ branch }}}}"
        "{% if expires_on %}, until {{ expires_on }}{% endif %}.",
    ),
    "hold-expiring": (
        "Please collect soon",
        f"{_ONE} waits for you at {{{{ branch }}}} until {{{{ expires_on }}}}. "
        "After that day it goes to the next reader.",
    ),
    "hold-expired": (
        "Your hold has expired",
        f"{_ONE} was not collected at {{{{ branch }}}} in time, and goes to the next reader.",
    ),
    "hold-cancelled": (
        "Your hold was cancelled",
        f"{_ONE} is not reserved for you any more.",
    ),
    "due-soon": (
        "Due soon",
        f"{_WHAT} will be due soon:{_LIST}\n\nPlease return or renew in time.",
    ),
    "overdue-1": (
        "Overdue: please return",
        f"{_WHAT} should have been returned:{_LIST}\n\nPlease return or renew.",
    ),
    "overdue-2": (
        "Second reminder: overdue",
        f"{_WHAT} should have been returned some time ago:{_LIST}\n\n"
        "Please return. Others may be waiting, and fees may grow.",
    ),
    "overdue-3": (
        "Last reminder: overdue",
        f"This is our last reminder. {_WHAT} should have been returned long ago:{_LIST}\n\n"
        "If nothing comes back we may have to charge you for the loss. "
        "Please talk to us if something went wrong.",
    ),
    "loan-renewed": (
        "Renewed for you",
        "{% if title %}“{{ title }}”{% else %}An item you have on loan{% endif %} was renewed "
        "for you. It is due on {{ due_on }} now.",
    ),
    "account-expiring": (
        "Your library card expires soon",
        "Your library card is valid until {{ expires_on }}. Please have it extended at the desk.",
    ),
    "payment-received": (
        "Receipt: {{ amount }}",
        "We have received {{ amount }} ({{ method }}). Your balance is {{ balance }} now.",
    ),
    "charge-added": (
        "A charge of {{ amount }}",
        "{{ amount }} was charged to your account ({{ reason }}). "
        "Your balance is {{ balance }} now.",
    ),
    "report": (
        "Report: {{ report }}{% if since_on %}, {{ since_on }} to {{ until_on }}{% endif %}",
        "This is the report you subscribed to: {{ report }}, "
        "{% if branch %}{{ branch }}{% else %}all branches{% endif %}"
        "{% if since_on %}, {{ since_on }} to {{ until_on }}{% endif %}.\n\n"
        "{% if too_long %}It is too long for an e-mail, so there is no file. Subscribe to it for "
        "one branch, for a shorter period or in another form, or read it in parts: "
        "{{ url }}{{ path }}{% else %}The file comes with the e-mail.{% endif %}",
    ),
}
