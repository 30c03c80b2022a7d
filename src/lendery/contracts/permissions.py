"""Who may do what: the one table from which every endpoint, page and command decides."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from lendery.contracts.base import NotAllowed, SignInNeeded, Value

Role = Literal["reader", "librarian", "admin"]


class Permission(StrEnum):
    """Named `what:doing`. `own` speaks of oneself only."""

    OWN_ACCOUNT = "account:own"
    BORROW = "loans:own"
    LEND = "loans:lend"
    WAIVE = "loans:waive"
    UNDO = "desk:undo"
    OFFLINE = "desk:offline"
    OFFLINE_REGISTER = "desk:offline-register"
    PLACE_HOLDS = "holds:own"
    MANAGE_HOLDS = "holds:manage"
    SETTLE = "fines:settle"
    CATALOGUE = "catalogue:write"
    REVIEW = "reviews:own"
    MODERATE = "reviews:moderate"
    SEE_PEOPLE = "people:read"
    EDIT_PEOPLE = "people:write"
    GRANT_ROLES = "people:roles"
    PRIVACY = "people:privacy"
    READ_RULES = "rules:read"
    WRITE_RULES = "rules:write"
    RUN_IMPORTS = "imports:run"
    READ_JOBS = "jobs:read"
    RUN_JOBS = "jobs:run"
    READ_NOTICES = "notices:read"
    WRITE_NOTICES = "notices:write"
    READ_REPORTS = "reports:read"


READER = frozenset(
    {Permission.OWN_ACCOUNT, Permission.BORROW, Permission.PLACE_HOLDS, Permission.REVIEW}
)
LIBRARIAN = READER | {
    Permission.LEND,
    Permission.WAIVE,
    Permission.UNDO,
    Permission.OFFLINE,
    Permission.MANAGE_HOLDS,
    Permission.SETTLE,
    Permission.CATALOGUE,
    Permission.MODERATE,
    Permission.SEE_PEOPLE,
    Permission.EDIT_PEOPLE,
    Permission.READ_RULES,
    Permission.RUN_IMPORTS,
    Permission.READ_JOBS,
    Permission.READ_NOTICES,
    Permission.READ_REPORTS,
}
GRANTED: dict[str, frozenset[Permission]] = {
    "reader": READER,
    "librarian": LIBRARIAN,
    "admin": frozenset(Permission),
}


class Actor(Value):
    """Who asks. A stranger has no id; `desk` is the branch where a member of staff works.

    `why`: for what staff look at a person, where they say it.
    """

    id: UUID | None = None
    role: Role | None = None
    session_id: UUID | None = None
    desk: UUID | None = None
    why: str | None = None

    @property
    def staff(self) -> bool:
        return self.role in ("librarian", "admin")

    def may(self, permission: Permission) -> bool:
        return self.role is not None and permission in GRANTED[self.role]

    def must(self, permission: Permission) -> None:
        """Raises SignInNeeded for a stranger, NotAllowed for anyone who may not."""
        if self.id is None and self.role is None:
            raise SignInNeeded("Sign in first.")
        if not self.may(permission):
            raise NotAllowed(f"This needs the permission {permission}.", permission=permission)

    def must_be(self, person: UUID | None, or_may: Permission) -> None:
        """One's own affairs, or those of others with a permission."""
        if self.id is None or self.id != person:
            self.must(or_may)


STRANGER = Actor()
SYSTEM = Actor(role="admin")  # jobs, the command line and the demo library; has no id
