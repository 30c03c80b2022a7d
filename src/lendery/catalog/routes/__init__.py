"""REST for the catalog: books, copies, headings, works, series, merges; imports and exports."""

from fastapi import APIRouter

from lendery.catalog.routes.authors import author_routes
from lendery.catalog.routes.books import book_routes
from lendery.catalog.routes.copies import copy_routes
from lendery.catalog.routes.exports import export_routes
from lendery.catalog.routes.headings import heading_routes
from lendery.catalog.routes.imports import import_routes
from lendery.catalog.routes.jobs import job_routes
from lendery.catalog.routes.merging import duplicate_routes, merge_routes
from lendery.catalog.routes.works import series_routes, work_routes
from lendery.contracts.authorities import AuthorityFile, Duplicates, Merges, SeriesList, Works
from lendery.contracts.catalog import Authors, Books, Copies
from lendery.contracts.circulation import CopyStates
from lendery.contracts.importing import Exports, Imports
from lendery.contracts.jobs import Jobs
from lendery.platform.http.routes_index import joined


def routes(authors: Authors, books: Books, copies: Copies, states: CopyStates) -> APIRouter:
    return joined(
        book_routes(books),
        copy_routes(books, copies, states),
        author_routes(authors, books),
    )


def authority_routes(
    *,
    authorities: AuthorityFile,
    merges: Merges,
    duplicates: Duplicates,
    works: Works,
    series: SeriesList,
) -> APIRouter:
    return joined(
        heading_routes(authorities),
        work_routes(works),
        series_routes(series),
        merge_routes(merges),
        duplicate_routes(duplicates),
    )


def bulk_routes(imports: Imports, exports: Exports, jobs: Jobs) -> APIRouter:
    return joined(
        import_routes(imports),
        export_routes(exports),
        job_routes(jobs),
    )
