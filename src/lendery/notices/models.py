"""The tables of notices. Columns and constraints only; the rules are elsewhere.

Nothing here joins a person to a loan or a hold: what was told about which loan (`told`) does not
say to whom, and what a person was told (`message`) does not say about which loan.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
    text,
)

from lendery.platform.db import Json, UtcDateTime, context_tables

metadata = MetaData()
QUEUED = text("state = 'queued'")
UNREAD = text("read_at IS NULL")

message = Table(
    "notices_message",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("patron_id", Uuid, nullable=False),
    Column("kind", String(24), nullable=False),
    Column("facts", Json, nullable=False),  # no name, no id of what it is about
    Column("created_at", UtcDateTime, nullable=False),
    Column("read_at", UtcDateTime),
    Column("mail_id", Uuid, nullable=False),
    Index("notices_messages_of_patron", "patron_id", "id"),
    Index(
        "notices_unread_of_patron",
        "patron_id",
        "id",
        sqlite_where=UNREAD,
        postgresql_where=UNREAD,
    ),
    Index("notices_messages_of_mail", "mail_id"),
    Index("notices_messages_by_age", "created_at"),
)

mail = Table(
    "notices_mail",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("patron_id", Uuid, nullable=False),
    Column("state", String(12), nullable=False),
    Column("why", String(24)),
    Column("tries", Integer, nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("digest_on", Date),  # null: it is about one notice
    Column("created_at", UtcDateTime, nullable=False),
    Column("next_at", UtcDateTime),
    Column("lease_until", UtcDateTime),
    Column("worker", Uuid),  # who has the lease, and alone may write what became of it
    Column("ended_at", UtcDateTime),
    Index("notices_one_digest_a_day", "patron_id", "digest_on", unique=True),
    Index("notices_mails_due", "next_at", sqlite_where=QUEUED, postgresql_where=QUEUED),
    Index("notices_mails_of_patron", "patron_id", "id"),
    Index("notices_mails_by_state", "state", "id"),
    Index("notices_mails_by_age", "created_at"),
)

attempt = Table(
    "notices_attempt",
    metadata,
    Column("mail_id", Uuid, primary_key=True),
    Column("no", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("outcome", String(12), nullable=False),
    Column("code", Integer),  # of the SMTP reply, whose words may hold the address
    Column("why", String(40)),
)

attachment = Table(  # until its mail has ended
    "notices_attachment",
    metadata,
    Column("mail_id", Uuid, primary_key=True),
    Column("name", String(120), nullable=False),
    Column("media", String(100), nullable=False),
    Column("content", LargeBinary, nullable=False),
)

told = Table(  # what was written about once is not written about again
    "notices_told",
    metadata,
    Column("about", Uuid, primary_key=True),
    Column("step", String(40), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)

preference = Table(
    "notices_preference",
    metadata,
    Column("patron_id", Uuid, primary_key=True),
    Column("email", Json, nullable=False),
    Column("digest", Boolean, nullable=False),
    Column("quiet_from", String(5)),
    Column("quiet_until", String(5)),
    Column("language", String(8)),
    Column("version", Integer, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

bounce = Table(
    "notices_bounce",
    metadata,
    Column("patron_id", Uuid, primary_key=True),
    Column("address", String(64), nullable=False),  # a keyed digest of it
    Column("code", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

template = Table(
    "notices_template",
    metadata,
    Column("kind", String(24), primary_key=True),
    Column("language", String(8), primary_key=True),
    Column("medium", String(8), primary_key=True),
    Column("subject", String(500), nullable=False),
    Column("body", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", Uuid),
)

TABLES = context_tables("notices", metadata)
