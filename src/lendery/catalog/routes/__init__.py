"""REST for the catalog: authors, books, subjects, copies; imports, exports and their jobs."""

from fastapi import APIRouter

from lendery.catalog.routes.authors import author_routes
from lendery.catalog.routes.books import book_routes
from lendery.catalog.routes.copies import copy_routes
from lendery.catalog.routes.exports import export_routes
from lendery.catalog.routes.imports import import_routes
from lendery.catalog.routes.jobs import job_routes
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


def bulk_routes(imports: Imports, exports: Exports, jobs: Jobs) -> APIRouter:
    router = APIRouter(prefix="/api/v1")
    router.include_router(import_routes(imports))
    router.include_router(export_routes(exports))
    router.include_router(job_routes(jobs))
    return router
