"""The house: branches, calendars, ways, and the rule table in its versions."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    String,
    Table,
    Text,
    Uuid,
)

from lendery.circulation.models.base import metadata
from lendery.platform.db import Json, UtcDateTime

branch = Table(
    "circulation_branch",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("code", String(64), nullable=False),
    Column("name", String(500), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("address", String(500)),
    Column("calendar_id", Uuid),
    Column("self_service", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Index("one_branch_per_code", "code", unique=True),
)

calendar = Table(
    "circulation_calendar",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(500), nullable=False),
    Column("weekly", Json, nullable=False),
    Column("exceptions", Json, nullable=False),
    Column("valid_until", Date),
    Column("version", Integer, nullable=False),
)

transport_cost = Table(  # of ways between two branches; what is not here costs 1
    "circulation_transport_cost",
    metadata,
    Column("from_branch_id", Uuid, primary_key=True),
    Column("to_branch_id", Uuid, primary_key=True),
    Column("cost", Integer, nullable=False),
    CheckConstraint("cost BETWEEN 0 AND 1000", name="cost_can_be_compared"),
)

rule_table = Table(  # only added to: what was in force when, and what will be
    "circulation_rule_table",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("id", Uuid, nullable=False),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("planned", Boolean, nullable=False),  # else in force from its commit on, by any clock
    Column("saved_at", UtcDateTime, nullable=False),
    Column("saved_by", Uuid),
    Column("comment", Text),
    Column("restored_from", Integer),
    Column("size", Integer, nullable=False),
    Column("rows", Json, nullable=False),
    Index("rule_tables_by_time", "valid_from", "number"),
)

rule = Table(  # what was in force when last saved: for programs of before the versions
    "circulation_rule",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("branch_id", Uuid),
    Column("category", String(64)),
    Column("item_type", String(64)),
    Column("parameter", String(64), nullable=False),
    Column("value", Json),
    Column("scope", String(300), nullable=False),  # the four above as one key: nulls compare equal
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", Uuid),
    Column("version", Integer, nullable=False),
    Index("one_value_per_scope_and_parameter", "scope", unique=True),
)

difference = Table(  # what a simulated rule table would have made otherwise
    "circulation_difference",
    metadata,
    Column("simulation_id", Uuid, primary_key=True),
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("event", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("loan_id", Uuid, nullable=False),
    Column("copy_id", Uuid, nullable=False),
    Column("branch_id", Uuid, nullable=False),
    Column("category", String(64)),
    Column("item_type", String(64), nullable=False),
    Column("was", Json, nullable=False),
    Column("would_be", Json, nullable=False),
    Column("certain", Boolean, nullable=False),
)

setup = Table(  # one row; its version moves when branches, calendars, costs or rules change
    "circulation_setup",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", BigInteger, nullable=False),
)
