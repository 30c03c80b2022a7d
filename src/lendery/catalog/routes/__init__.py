"""REST for the catalog: authors, books, subjects and copies."""

from fastapi import APIRouter

from lendery.catalog.routes.authors import author_routes
from lendery.catalog.routes.books import book_routes
from lendery.catalog.routes.copies import copy_routes
from lendery.contracts.catalog import Authors, Books, Copies
from lendery.contracts.circulation import CopyStates


def routes(authors: Authors, books: Books, copies: Copies, states: CopyStates) -> APIRouter:
    router = APIRouter(prefix="/api/v1")
    router.include_router(book_routes(books))
    router.include_router(copy_routes(books, copies, states))
    router.include_router(author_routes(authors, books))
    return router
