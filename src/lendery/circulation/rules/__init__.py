"""The rules of lending: facts in, decision out. No clock, no database, no network.

Where is it decided ...

- when a branch is open, and what its calendar must say: `calendar`
- what a wall clock means on the days the clocks change: `local_time`
- which parameters the rule table knows, what each takes and its default: `parameters`
- what kinds of value there are: `values`
- which row wins, and why; what a loan keeps of the rules: `policy`
- when a loan is due, and until when a renewal takes it: `due`
- whether this patron may borrow at all: `standing`
- whether this copy may be lent to this patron, limits of loans included: `checkout`
- whether a loan may be renewed: `renewal`
- how late a loan is, and what that costs: `late_fines`
- what a patron owes, and which charges a payment settles: `ledger`
- in which desk's count money goes: `cash`
- whether a hold may be placed: `holding`
- which hold gets which free copy: `filling`
- what the ways between branches cost: `transport`
- where a returned copy goes when nobody waits for it: `routing`
- what status a copy shows: `status`
- which loan is called back for somebody who waits: `recalling`
- how long a late return suspends: `suspending`
- when a copy is lost, and what that costs: `losing`
- what still can be undone: `undoing`
- why a hold has no copy yet: `waiting`
- when it is likely to have one: `waiting_time`; whether that came true: `waiting_replay`
- what an offline desk signs, and when it is not taken: `offline`
- what is said of what such a desk could not know: `offline_conflicts`
- how sentences say days, amounts and numbers: `words`
- what one rule table says otherwise than another: `versions`
- what is odd about a whole table: `checking`
- a table as text, and back: `writing`, `reading`
- what past loans would have become under another table: `what_if`, `loan_again`
"""

from lendery.circulation.rules.calendar import OpeningHours, check_calendar
from lendery.circulation.rules.checking import Finding, Known, check_table
from lendery.circulation.rules.checkout import (
    CHECK_OUT_RULES,
    CheckOut,
    CopyFacts,
    age_on,
    check_out_blocks,
)
from lendery.circulation.rules.due import due_at, renewed_due_at
from lendery.circulation.rules.filling import (
    Shelf,
    TransportCost,
    Waiting,
    filled,
    same_branch_first,
    who_loses,
)
from lendery.circulation.rules.holding import (
    HoldableCopy,
    HoldRequest,
    hold_blocks,
    may_serve,
    pickup_blocks,
)
from lendery.circulation.rules.late_fines import fine_due, late_units
from lendery.circulation.rules.ledger import (
    ChargeSum,
    Part,
    Standing,
    allocate,
    giving_up_objection,
    payment_objection,
    refund_objection,
)
from lendery.circulation.rules.loan_again import CheckedOut, Reader
from lendery.circulation.rules.local_time import time_zone
from lendery.circulation.rules.losing import given_back, is_lost, late_until, lost_charges
from lendery.circulation.rules.parameters import PARAMETERS, Parameter, parse
from lendery.circulation.rules.policy import Policy, RuleTable, explain, resolve
from lendery.circulation.rules.reading import Text, read_text
from lendery.circulation.rules.recalling import Recallable, called_back, recalled_due_at
from lendery.circulation.rules.renewal import (
    RENEWAL_RULES,
    WAIVABLE_AT_RENEWAL,
    Renewal,
    RenewalCode,
    passed_over,
    renewal_objection,
)
from lendery.circulation.rules.routing import where_next
from lendery.circulation.rules.standing import CardBlock, LoanCount, PatronFacts
from lendery.circulation.rules.status import STATUS_ORDER, CopyMarks, status_of
from lendery.circulation.rules.suspending import suspended_until
from lendery.circulation.rules.transport import listed_or_one, no_ways
from lendery.circulation.rules.undoing import (
    CHECK_IN_UNDO_RULES,
    CHECK_OUT_UNDO_RULES,
    SETTLEMENT_UNDO_RULES,
    SinceCheckIn,
    SinceCheckOut,
    SinceSettled,
    UndoObjection,
    overdrawn,
    undo_objection,
)
from lendery.circulation.rules.values import as_json
from lendery.circulation.rules.versions import carried_over, differences, key_of
from lendery.circulation.rules.waiting_replay import Judged, days_of, replayed
from lendery.circulation.rules.waiting_time import (
    BUCKETS,
    MEMORY,
    Experience,
    PastHold,
    Place,
    likely,
)
from lendery.circulation.rules.what_if import Found, WhatIf
from lendery.circulation.rules.why_waiting import Wait, why_not_yet
from lendery.circulation.rules.words import plain_amount, spoken_day
from lendery.circulation.rules.writing import write_text

__all__ = [
    "BUCKETS",
    "CHECK_IN_UNDO_RULES",
    "CHECK_OUT_RULES",
    "CHECK_OUT_UNDO_RULES",
    "MEMORY",
    "PARAMETERS",
    "RENEWAL_RULES",
    "SETTLEMENT_UNDO_RULES",
    "STATUS_ORDER",
    "WAIVABLE_AT_RENEWAL",
    "CardBlock",
    "ChargeSum",
    "CheckOut",
    "CheckedOut",
    "CopyFacts",
    "CopyMarks",
    "Experience",
    "Finding",
    "Found",
    "HoldRequest",
    "HoldableCopy",
    "Judged",
    "Known",
    "LoanCount",
    "OpeningHours",
    "Parameter",
    "Part",
    "PastHold",
    "PatronFacts",
    "Place",
    "Policy",
    "Reader",
    "Recallable",
    "Renewal",
    "RenewalCode",
    "RuleTable",
    "Shelf",
    "SinceCheckIn",
    "SinceCheckOut",
    "SinceSettled",
    "Standing",
    "Text",
    "TransportCost",
    "UndoObjection",
    "Wait",
    "Waiting",
    "WhatIf",
    "age_on",
    "allocate",
    "as_json",
    "called_back",
    "carried_over",
    "check_calendar",
    "check_out_blocks",
    "check_table",
    "days_of",
    "differences",
    "due_at",
    "explain",
    "filled",
    "fine_due",
    "given_back",
    "giving_up_objection",
    "hold_blocks",
    "is_lost",
    "key_of",
    "late_units",
    "late_until",
    "likely",
    "listed_or_one",
    "lost_charges",
    "may_serve",
    "no_ways",
    "overdrawn",
    "parse",
    "passed_over",
    "payment_objection",
    "pickup_blocks",
    "plain_amount",
    "read_text",
    "recalled_due_at",
    "refund_objection",
    "renewal_objection",
    "renewed_due_at",
    "replayed",
    "resolve",
    "same_branch_first",
    "spoken_day",
    "status_of",
    "suspended_until",
    "time_zone",
    "undo_objection",
    "where_next",
    "who_loses",
    "why_not_yet",
    "write_text",
]
