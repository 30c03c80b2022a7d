"""What all tables of circulation belong to: one metadata, the log, long jobs, look-ups."""

from sqlalchemy import MetaData

from lendery.platform.db import context_tables
from lendery.platform.db.jobs import job_table
from lendery.platform.lookups import lookup_table

metadata = MetaData()
TABLES = context_tables("circulation", metadata)
JOBS = job_table("circulation", metadata)
LOOKUPS = lookup_table("circulation", metadata)
