"""Notices, mails and their log, what was told, preferences, bounces, templates; a chained log."""

import sqlalchemy as sa
from alembic import op

from lendery.platform.db.types import UtcDateTime
from lendery.platform.log_steps import (
    add_chain,
    create_context_tables,
    drop_chain,
    drop_context_tables,
)

revision = "0001"
down_revision = None
compatible_from = "0001"


def upgrade() -> None:
    _messages()
    _mails()
    _about_people()
    _templates()
    create_context_tables(op, "notices")
    add_chain(op, "notices")


def _messages() -> None:
    unread = sa.text("read_at IS NULL")
    op.create_table(
        "notices_message",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("patron_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("read_at", UtcDateTime),
        sa.Column("mail_id", sa.Uuid, nullable=False),
        sa.Index("notices_messages_of_patron", "patron_id", "id"),
        sa.Index(
            "notices_unread_of_patron",
            "patron_id",
            "id",
            sqlite_where=unread,
            postgresql_where=unread,
        ),
        sa.Index("notices_messages_of_mail", "mail_id"),
        sa.Index("notices_messages_by_age", "created_at"),
    )
    op.create_table(
        "notices_told",
        sa.Column("about", sa.Uuid, primary_key=True),
        sa.Column("step", sa.String(40), primary_key=True),
        sa.Column("at", UtcDateTime, nullable=False),
    )


def _mails() -> None:
    queued = sa.text("state = 'queued'")
    op.create_table(
        "notices_mail",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("patron_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("why", sa.String(24)),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("digest_on", sa.Date),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("next_at", UtcDateTime),
        sa.Column("lease_until", UtcDateTime),
        sa.Column("worker", sa.Uuid),
        sa.Column("ended_at", UtcDateTime),
        sa.Index("notices_one_digest_a_day", "patron_id", "digest_on", unique=True),
        sa.Index("notices_mails_due", "next_at", sqlite_where=queued, postgresql_where=queued),
        sa.Index("notices_mails_of_patron", "patron_id", "id"),
        sa.Index("notices_mails_by_state", "state", "id"),
        sa.Index("notices_mails_by_age", "created_at"),
    )
    op.create_table(
        "notices_attempt",
        sa.Column("mail_id", sa.Uuid, primary_key=True),
        sa.Column("no", sa.Integer, primary_key=True),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("code", sa.Integer),
        sa.Column("why", sa.String(40)),
    )


def _about_people() -> None:
    op.create_table(
        "notices_preference",
        sa.Column("patron_id", sa.Uuid, primary_key=True),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("digest", sa.Boolean, nullable=False),
        sa.Column("quiet_from", sa.String(5)),
        sa.Column("quiet_until", sa.String(5)),
        sa.Column("language", sa.String(8)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "notices_bounce",
        sa.Column("patron_id", sa.Uuid, primary_key=True),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("code", sa.Integer, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
    )


def _templates() -> None:
    op.create_table(
        "notices_template",
        sa.Column("kind", sa.String(24), primary_key=True),
        sa.Column("language", sa.String(8), primary_key=True),
        sa.Column("medium", sa.String(8), primary_key=True),
        sa.Column("subject", sa.String(500), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.Column("changed_by", sa.Uuid),
    )


def downgrade() -> None:
    drop_chain(op, "notices")
    drop_context_tables(op, "notices")
    for name in ("template", "bounce", "preference", "attempt", "mail", "told", "message"):
        op.drop_table(f"notices_{name}")
