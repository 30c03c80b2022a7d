"""Imports and exports: long jobs, the records as they came, and what an import said."""

import sqlalchemy as sa
from alembic import op

from lendery.platform.job_steps import create_job_table, drop_job_table

revision = "0006"
down_revision = "0005"
compatible_from = "0001"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    create_job_table(op, "catalog")
    op.create_table(
        "catalog_source",
        sa.Column(
            "book_number",
            NUMBER,
            sa.ForeignKey("catalog_book.number", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("job_id", sa.Uuid, nullable=False),
        sa.Column("prior_job_id", sa.Uuid),
        sa.Column("format", sa.String(16), nullable=False),
        sa.Column("control_number", sa.Text),
        sa.Column("edited", sa.Boolean, nullable=False),
        sa.Column("packed", sa.Boolean, nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("before", sa.LargeBinary),
    )
    op.create_index("catalog_sources_by_control_number", "catalog_source", ["control_number"])
    op.create_index("catalog_sources_of_import", "catalog_source", ["job_id", "book_number"])
    op.create_table(
        "catalog_import_note",
        sa.Column("job_id", sa.Uuid, primary_key=True),
        sa.Column("no", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("severity", sa.String(12), nullable=False),
        sa.Column("record", sa.Integer, nullable=False),
        sa.Column("at_byte", sa.BigInteger, nullable=False),
        sa.Column("control_number", sa.Text),
        sa.Column("title", sa.Text),
        sa.Column("says", sa.Text, nullable=False),
        sa.Column("raw", sa.LargeBinary),
    )
    op.create_table(
        "catalog_import_copy",
        sa.Column(
            "copy_id",
            sa.Uuid,
            sa.ForeignKey("catalog_copy.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("job_id", sa.Uuid, nullable=False),
        sa.Column("book_number", NUMBER, nullable=False),
    )
    op.create_index("catalog_copies_of_import", "catalog_import_copy", ["job_id", "book_number"])


def downgrade() -> None:
    for name in ("import_copy", "import_note", "source"):
        op.drop_table(f"catalog_{name}")
    drop_job_table(op, "catalog")
