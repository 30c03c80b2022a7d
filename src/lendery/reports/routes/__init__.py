"""Reports over REST.

reading.py        which there are, and one of them
subscriptions.py  those that one gets by e-mail
"""

from fastapi import APIRouter

from lendery.contracts.reports import Reports
from lendery.contracts.subscriptions import Subscriptions
from lendery.reports.routes import reading, subscriptions


def routes(reports: Reports, mailed: Subscriptions) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["reports"])
    reading.add(router, reports)
    subscriptions.add(router, mailed)
    return router
