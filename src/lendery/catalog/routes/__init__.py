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


def routes(authors: Authors, books: Books, copies: Copies, states: CopyStates) -> APIRouter:
    router = APIRouter(prefix="/api/v1")
    router.include_router(book_routes(books))
    router.include_router(copy_routes(books, copies, states))
    router.include_router(author_routes(authors, books))
    return router


def authority_routes(
    *,
    authorities: AuthorityFile,
    merges: Merges,
    duplicates: Duplicates,
    works: Works,
    series: SeriesList,
) -> APIRouter:
    router = APIRouter(prefix="/api/v1")
    router.include_router(heading_routes(authorities))
    router.include_router(work_routes(works))
    router.include_router(series_routes(series))
    router.include_router(merge_routes(merges))
    router.include_router(duplicate_routes(duplicates))
    return router


def bulk_routes(imports: Imports, exports: Exports, jobs: Jobs) -> APIRouter:
    router = APIRouter(prefix="/api/v1")
    router.include_router(import_routes(imports))
    router.include_router(export_routes(exports))
    router.include_router(job_routes(jobs))
    return router
