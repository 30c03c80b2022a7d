"""Notices over REST.

inbox.py    one's own inbox, preferences, and the way out that a mail offers
staff.py    templates, the delivery log, addresses that refuse mail
"""

from fastapi import APIRouter

from lendery.contracts.notices import MailLog, Notices, NoticeTemplates
from lendery.notices.routes import inbox, staff


def routes(notices: Notices, templates: NoticeTemplates, mail_log: MailLog) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["notices"])
    inbox.add(router, notices)
    inbox.add_way_out(router, notices)
    staff.add_templates(router, templates)
    staff.add_mails(router, mail_log)
    return router
