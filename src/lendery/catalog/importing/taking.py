"""How an import takes what it is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from lendery.catalog.formats import Format
from lendery.contracts.importing import ImportOptions


@dataclass(frozen=True)
class Taking:
    """How an import takes records. `branches`: ids by code and by name, folded."""

    job_id: UUID
    options: ImportOptions
    format: Format
    branches: Mapping[str, UUID]
    currency: str
