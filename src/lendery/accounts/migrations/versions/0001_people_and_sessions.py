"""People, their blocks and sessions, signing keys, failed log-ins and the card counter."""

import sqlalchemy as sa
from alembic import op

from lendery.platform.db.types import Json, UtcDateTime
from lendery.platform.log_steps import create_context_tables, drop_context_tables

revision = "0001"
down_revision = None
compatible_from = "0001"

SIGNING = sa.text("retired_at IS NULL")
FIRST_CARD = 200_000_000


def upgrade() -> None:
    _people()
    _sessions()
    _keys_and_counts()
    create_context_tables(op, "accounts")


def _people() -> None:
    op.create_table(
        "accounts_user",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("email", sa.String(254)),
        sa.Column("name", sa.String(500), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("card_number", sa.String(32)),
        sa.Column("category", sa.String(64), nullable=False),
        sa.Column("home_branch_id", sa.Uuid),
        sa.Column("born_on", sa.Date),
        sa.Column("expires_on", sa.Date),
        sa.Column("guarantor_id", sa.Uuid),
        sa.Column("language", sa.String(8)),
        sa.Column("keeps_history", sa.Boolean, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("password_hash", sa.String(255)),
        sa.Column("search_words", sa.Text, nullable=False),
        sa.Column("removed_at", UtcDateTime),
    )
    op.create_index("accounts_one_user_per_email", "accounts_user", ["email"], unique=True)
    op.create_index("accounts_one_user_per_card", "accounts_user", ["card_number"], unique=True)
    op.create_index("accounts_users_by_role", "accounts_user", ["role", "id"])
    op.create_table(
        "accounts_block",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("note", sa.String(500)),
        sa.Column("until", UtcDateTime),
        sa.Column("placed_at", UtcDateTime, nullable=False),
        sa.Column("placed_by", sa.Uuid),
    )
    op.create_index("accounts_blocks_of_user", "accounts_block", ["user_id", "id"])


def _sessions() -> None:
    op.create_table(
        "accounts_session",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("revoked_at", UtcDateTime),
        sa.Column("last_used_at", UtcDateTime, nullable=False),
    )
    op.create_index("accounts_sessions_of_user", "accounts_session", ["user_id"])
    op.create_index("accounts_sessions_by_end", "accounts_session", ["revoked_at"])
    op.create_table(
        "accounts_refresh",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("session_id", sa.Uuid, nullable=False),
        sa.Column("issued_at", UtcDateTime, nullable=False),
        sa.Column("used_at", UtcDateTime),
    )
    op.create_index("accounts_refreshes_of_session", "accounts_refresh", ["session_id"])


def _keys_and_counts() -> None:
    op.create_table(
        "accounts_key",
        sa.Column("kid", sa.String(64), primary_key=True),
        sa.Column("algorithm", sa.String(16), nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("public_jwk", Json, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("retired_at", UtcDateTime),
    )
    op.create_index(
        "accounts_one_key_signs",
        "accounts_key",
        ["algorithm"],
        unique=True,
        sqlite_where=SIGNING,
        postgresql_where=SIGNING,
    )
    op.create_table(
        "accounts_failure",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("place", sa.String(64), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("pending_until", UtcDateTime),
    )
    op.create_index("accounts_failures_of_place", "accounts_failure", ["place", "at"])
    op.create_index("accounts_failures_by_age", "accounts_failure", ["at"])
    counter = op.create_table(
        "accounts_counter",
        sa.Column("name", sa.String(16), primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(counter, [{"name": "card", "value": FIRST_CARD}])


def downgrade() -> None:
    drop_context_tables(op, "accounts")
    for name in ("refresh", "session", "block", "user", "key", "failure", "counter"):
        op.drop_table(f"accounts_{name}")
