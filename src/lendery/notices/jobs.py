"""What notices does by the clock: it reminds and sends."""

from datetime import datetime, timedelta
from typing import Protocol

from lendery.contracts.accounts import Patrons, Users
from lendery.contracts.catalog import Books
from lendery.contracts.circulation import DueList
from lendery.notices.post_office import PostOffice
from lendery.notices.reminding import Reminders
from lendery.platform.db import Database
from lendery.platform.jobs import Job
from lendery.platform.settings import Settings


class Desk(Protocol):
    @property
    def db(self) -> Database: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def users(self) -> Users: ...
    @property
    def patrons(self) -> Patrons: ...
    @property
    def books(self) -> Books: ...
    @property
    def due_list(self) -> DueList: ...


async def send_mail(desk: Desk, now: datetime) -> None:
    """What is due. A mail that another process has in hand is left to it."""
    await PostOffice(desk.db, desk.users, desk.settings).send_due(now=now)


async def remind(desk: Desk, now: datetime) -> None:
    reminders = Reminders(desk.db, desk.due_list, desk.patrons, desk.books, desk.settings)
    await reminders.write(now=now)


JOBS = (Job("remind readers", timedelta(hours=1), remind),)
# In each process: what is to be sent is claimed mail by mail, and readers wait for it.
OWN_JOBS = (Job("send mail", timedelta(seconds=2), send_mail),)
