"""Which reports there are, and what they mean."""

from lendery.contracts.reports import Column, Parameter, ReportInfo

PERIOD: tuple[Parameter, ...] = ("from", "to", "branch_id")
BRANCH = (
    Column(key="branch_id", says="Branch id", kind="id"),
    Column(key="branch", says="Branch", kind="text", sortable=False),
)
BOOK = (
    Column(key="book_id", says="Book id", kind="id"),
    Column(key="title", says="Title", kind="text"),
    Column(key="authors", says="Authors", kind="text"),
)
LENT = Column(key="lent", says="Loans", kind="count")
MOVED = (
    LENT,
    Column(key="renewed", says="Renewals", kind="count"),
    Column(key="returned", says="Returns", kind="count"),
)
MONEY = (
    Column(key="kind", says="Kind", kind="text"),
    Column(key="currency", says="Currency", kind="text"),
    Column(key="lines", says="Lines", kind="count"),
    Column(key="amount", says="Amount", kind="money"),
)
TURNOVER = (
    Column(key="copies", says="Copies", kind="count"),
    LENT,
    Column(key="turnover", says="Loans per copy", kind="ratio"),
)

LISTED: tuple[ReportInfo, ...] = (
    ReportInfo(
        name="loans-by-day",
        title="Loans by day",
        says="What was lent, renewed and taken back on each day on which something was.",
        parameters=PERIOD,
        columns=(Column(key="day", says="Day", kind="day"), *MOVED),
        sort="day",
        chart=True,
    ),
    ReportInfo(
        name="loans-by-branch",
        title="Loans by branch",
        says="Loans and renewals count where it was lent, returns where it came back.",
        parameters=PERIOD,
        columns=(*BRANCH, *MOVED),
        sort="-lent",
        chart=True,
    ),
    ReportInfo(
        name="loans-by-category",
        title="Loans by patron category",
        says="Loans by the category their borrowers had then. Never beside a title or a subject.",
        parameters=PERIOD,
        columns=(Column(key="category", says="Category", kind="text"), LENT),
        sort="-lent",
        chart=True,
    ),
    ReportInfo(
        name="loans-by-subject",
        title="Loans by subject",
        says="A loan counts for each subject that its book has now, so the sum may be above all.",
        parameters=PERIOD,
        columns=(Column(key="subject", says="Subject", kind="text"), LENT),
        sort="-lent",
        chart=True,
    ),
    ReportInfo(
        name="top-titles",
        title="Top titles",
        says="The books lent most often, all copies together.",
        parameters=PERIOD,
        columns=(*BOOK, LENT),
        sort="-lent",
        chart=True,
    ),
    ReportInfo(
        name="turnover-by-branch",
        title="Turnover by branch",
        says="How often a copy that lives at the branch now was lent, wherever that was.",
        parameters=PERIOD,
        columns=(*BRANCH, *TURNOVER),
        sort="-turnover",
        chart=True,
    ),
    ReportInfo(
        name="turnover-by-item-type",
        title="Turnover by item type",
        says="How often a copy of the item type was lent: those that are here now.",
        parameters=PERIOD,
        columns=(Column(key="item_type", says="Item type", kind="text"), *TURNOVER),
        sort="-turnover",
        chart=True,
    ),
    ReportInfo(
        name="hold-ratios",
        title="Books to buy more of",
        says="Books for which more readers wait than `threshold` for each copy, and how many "
        "copies are missing. With a branch: who collects there, and the copies that live there.",
        parameters=("branch_id", "threshold"),
        columns=(
            *BOOK,
            Column(key="waiting", says="Waiting", kind="count"),
            Column(key="copies", says="Copies", kind="count"),
            Column(key="ratio", says="Waiting per copy", kind="ratio"),
            Column(key="to_buy", says="To buy", kind="count"),
        ),
        sort="-to_buy",
        chart=True,
    ),
    ReportInfo(
        name="overdue",
        title="Overdue loans",
        says="How many loans are late now, by the branch that lent them.",
        parameters=("branch_id",),
        columns=(*BRANCH, Column(key="overdue", says="Overdue", kind="count")),
        sort="-overdue",
        chart=True,
    ),
    ReportInfo(
        name="money",
        title="Money by day and desk",
        says="The lines of the ledger of each day, by the branch of the desk and by kind. "
        "Charges and refunds add to what readers owe, all other kinds take from it.",
        parameters=PERIOD,
        columns=(Column(key="day", says="Day", kind="day"), *BRANCH, *MONEY),
        sort="day",
        chart=False,
    ),
    ReportInfo(
        name="money-by-kind",
        title="Money by kind",
        says="What was charged, paid, waived, written off, cancelled, paid back, of all days.",
        parameters=PERIOD,
        columns=MONEY,
        sort="kind",
        chart=True,
    ),
    ReportInfo(
        name="dead-stock",
        title="Dead stock",
        says="Copies that nobody borrowed for `months` months, and that were there all the time.",
        parameters=("branch_id", "months"),
        columns=(
            Column(key="copy_id", says="Copy id", kind="id"),
            *BOOK,
            *BRANCH,
            Column(key="item_type", says="Item type", kind="text"),
            Column(key="last_lent_on", says="Last lent", kind="day"),
            Column(key="added_on", says="Added", kind="day"),
        ),
        sort="last_lent_on",
        chart=False,
    ),
    ReportInfo(
        name="collection-age",
        title="Age of the collection",
        says="Copies that are here, by the year or decade in which their book was published. "
        "Without a year: not known.",
        parameters=("branch_id", "per"),
        columns=(
            Column(key="published", says="Published", kind="text"),
            *BRANCH,
            Column(key="copies", says="Copies", kind="count"),
            Column(key="titles", says="Titles", kind="count"),
        ),
        sort="published",
        chart=True,
    ),
)
BY_NAME: dict[str, ReportInfo] = {each.name: each for each in LISTED}
