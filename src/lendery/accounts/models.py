"""The rows of accounts: people, blocks, sessions, keys, failed log-ins, the card counter."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
    text,
)

from lendery.platform.db import Json, UtcDateTime, context_tables
from lendery.platform.lookups import lookup_table

metadata = MetaData()
SIGNING = text("retired_at IS NULL")
UNFINISHED = text("finished_at IS NULL")

user = Table(
    "accounts_user",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("email", String(254)),  # lower case
    Column("name", String(500), nullable=False),
    Column("role", String(16), nullable=False),
    Column("card_number", String(32)),
    Column("category", String(64), nullable=False),
    Column("home_branch_id", Uuid),
    Column("born_on", Date),
    Column("expires_on", Date),
    Column("guarantor_id", Uuid),
    Column("language", String(8)),
    Column("keeps_history", Boolean, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("version", Integer, nullable=False),
    Column("password_hash", String(255)),
    Column("search_words", Text, nullable=False),  # see rules.search_words
    Column("removed_at", UtcDateTime),
    Index("accounts_one_user_per_email", "email", unique=True),
    Index("accounts_one_user_per_card", "card_number", unique=True),
    Index("accounts_users_by_role", "role", "id"),
)

block = Table(
    "accounts_block",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("reason", String(16), nullable=False),
    Column("note", String(500)),
    Column("until", UtcDateTime),
    Column("placed_at", UtcDateTime, nullable=False),
    Column("placed_by", Uuid),
    Index("accounts_blocks_of_user", "user_id", "id"),
)

session = Table(
    "accounts_session",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    Column("last_used_at", UtcDateTime, nullable=False),
    Index("accounts_sessions_of_user", "user_id"),
    Index("accounts_sessions_by_end", "revoked_at"),
)

refresh = Table(
    "accounts_refresh",
    metadata,
    Column("digest", String(64), primary_key=True),  # the token itself is never kept
    Column("session_id", Uuid, nullable=False),
    Column("issued_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    Index("accounts_refreshes_of_session", "session_id"),
)

key = Table(
    "accounts_key",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("algorithm", String(16), nullable=False),
    Column("sealed", Text, nullable=False),
    Column("public_jwk", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("retired_at", UtcDateTime),
    Index(
        "accounts_one_key_signs",
        "algorithm",
        unique=True,
        sqlite_where=SIGNING,
        postgresql_where=SIGNING,
    ),
)

failure = Table(
    "accounts_failure",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("who", String(64), nullable=False),  # digests: neither e-mail nor address is kept
    Column("place", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("pending_until", UtcDateTime),  # set while the password is still being looked at
    Index("accounts_failures_of_place", "place", "at"),
    Index("accounts_failures_by_age", "at"),
)

counter = Table(
    "accounts_counter",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

erasure = Table(  # that a person was erased, how much there was, and whether it is complete
    "accounts_erasure",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("asked_by", Uuid),
    Column("told_at", UtcDateTime, nullable=False),  # when the others were told last
    Column("held", Json, nullable=False),  # by context: counts, no words
    Column("finished_at", UtcDateTime),
    Index(
        "accounts_erasures_pending",
        "told_at",
        sqlite_where=UNFINISHED,
        postgresql_where=UNFINISHED,
    ),
)

LOOKUPS = lookup_table("accounts", metadata)
TABLES = context_tables("accounts", metadata)
