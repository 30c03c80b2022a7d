"""REST for people and their log-in sessions."""

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Form, Path, Query, Request, Response
from pydantic import AfterValidator, StringConstraints

from lendery.contracts.accounts import (
    NewBlock,
    NewUser,
    Password,
    PatronBlock,
    Registration,
    TokenPair,
    Tokens,
    User,
    UserChanges,
    UserFilter,
    Users,
)
from lendery.contracts.base import Code, Input, Page, Problem, SignInNeeded, one_line
from lendery.contracts.identity import Keys
from lendery.contracts.permissions import Actor, Permission, Role
from lendery.platform.http.answers import (
    ExpectedVersion,
    PageWindow,
    answer,
    items_answer,
    page_answer,
    version_tag,
)
from lendery.platform.http.identity import Needs
from lendery.platform.http.limits import address
from lendery.platform.http.routes_index import joined

Anyone = Annotated[Actor, Depends(Needs(None))]
Self = Annotated[Actor, Depends(Needs(Permission.OWN_ACCOUNT))]
Reads = Annotated[Actor, Depends(Needs(Permission.SEE_PEOPLE))]
Edits = Annotated[Actor, Depends(Needs(Permission.EDIT_PEOPLE))]
Typed = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(one_line)]
LONGEST_FIELD = 4096
CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}
ANN = {"summary": "A reader", "value": {"name": "Ann Lee", "email": "ann@example.org"}}
BLOCK = {"summary": "A stolen card", "value": {"reason": "stolen-card", "note": "Told by phone"}}
MOVED = {"summary": "A new e-mail address", "value": {"email": "ann.lee@example.org"}}


class InvalidTokenRequest(Problem):
    """A parameter is missing or cannot be read (RFC 6749 5.2: `invalid_request`)."""

    status = 400


class UnsupportedGrantType(Problem):
    """Only `password` and `refresh_token` are known (RFC 6749 5.2)."""

    status = 400


class PasswordChange(Input):
    current: Annotated[str, StringConstraints(max_length=256)]
    new: Password


def routes(
    users: Users, tokens: Tokens, keys: Keys, *, trusted: frozenset[str] = frozenset()
) -> APIRouter:
    """`trusted`: proxies whose X-Forwarded-For tells who tries passwords."""
    return joined(_auth(users, tokens, trusted), _keys(keys), _people(users), _blocks(users))


def _auth(users: Users, tokens: Tokens, trusted: frozenset[str]) -> APIRouter:
    router = APIRouter(prefix="/api/v1/auth", tags=["auth"])

    @router.post("/token", summary="Sign in, or go on", response_model=TokenPair)
    async def token(
        request: Request,
        actor: Anyone,
        grant_type: Annotated[str, Form(description="`password` or `refresh_token`.")] = "",
        username: Annotated[str, Form(description="The e-mail address.")] = "",
        password: Annotated[str, Form()] = "",
        refresh_token: Annotated[str, Form()] = "",
    ) -> Response:
        """OAuth 2.0 token endpoint (RFC 6749 4.3 and 6). `error` in a problem is RFC 6749's."""
        now = datetime.now(UTC)
        if _given("grant_type", grant_type) == "password":
            pair = await tokens.log_in(
                email=_given("username", username),
                password=_given("password", password),
                address=address(request.scope, trusted),
                now=now,
            )
        elif grant_type == "refresh_token":
            given = _given("refresh_token", refresh_token)
            pair = await tokens.refresh(refresh_token=given, now=now)
        else:
            raise UnsupportedGrantType(
                "The grant type is password or refresh_token.", error="unsupported_grant_type"
            )
        return Response(pair.model_dump_json(), 200, NO_STORE, "application/json")

    @router.get("/me", summary="Whose token this is", response_model=User)
    async def me(request: Request, actor: Self) -> Response:
        return _shown(await users.get(user_id=_id(actor), actor=actor), request)

    @router.post("/register", summary="Join the library", response_model=User, status_code=201)
    async def register(
        request: Request, actor: Anyone, person: Annotated[Registration, Body()]
    ) -> Response:
        """A reader's account with a card for a year."""
        return _made(await users.register(person=person, now=datetime.now(UTC)), request)

    @router.post(
        "/revoke",
        summary="Sign out",
        response_class=Response,
        responses={200: {"description": "The session has ended, if there was one."}},
    )
    async def revoke(
        actor: Anyone,
        token: Annotated[str, Form(description="A refresh or an access token.")] = "",
    ) -> Response:
        """Ends the session of the token (RFC 7009). A token nobody knows is fine."""
        await tokens.revoke(token=_given("token", token), now=datetime.now(UTC))
        return Response(None, 200, NO_STORE)

    @router.post("/password", summary="Change one's password", status_code=204)
    async def change_password(actor: Self, change: Annotated[PasswordChange, Body()]) -> Response:
        """Signs out everywhere else."""
        await tokens.change_password(
            current=change.current, new=change.new, actor=actor, now=datetime.now(UTC)
        )
        return Response(None, 204)

    return router


def _keys(keys: Keys) -> APIRouter:
    router = APIRouter(tags=["auth"])

    async def jwks(request: Request, actor: Anyone) -> Response:
        """The public keys that access tokens are signed with (RFC 7517)."""
        published = json.dumps(await keys.jwks())
        headers = {"cache-control": "public, max-age=300"}
        return Response(published, 200, headers, "application/json")

    for path in ("/api/v1/auth/jwks.json", "/.well-known/jwks.json"):
        router.add_api_route(
            path, jwks, methods=["GET"], summary="Keys", response_model=dict[str, Any]
        )
    return router


def _people(users: Users) -> APIRouter:
    router = APIRouter(prefix="/api/v1/users", tags=["users"])

    @router.get("/by-card/{card_number}", summary="Whose card it is", response_model=User)
    async def by_card(
        request: Request,
        actor: Reads,
        card_number: Annotated[str, Path(min_length=1, max_length=64)],
    ) -> Response:
        return _shown(await users.by_card(card_number=card_number, actor=actor), request)

    @router.get("/{user_id}", summary="A person", response_model=User)
    async def read(request: Request, actor: Self, user_id: UUID) -> Response:
        """Oneself, or anybody with `people:read`. A reader who asks about another gets 403."""
        return _shown(await users.get(user_id=user_id, actor=actor), request)

    @router.get("", summary="Find people", response_model=Page[User])
    async def find(
        request: Request,
        actor: Reads,
        window: PageWindow,
        role: Role | None = None,
        category: Annotated[Code | None, Query()] = None,
        active: bool | None = None,
        q: Annotated[
            Typed | None, Query(description="Words that name, e-mail or card number begin with.")
        ] = None,
        card_number: Annotated[Typed | None, Query()] = None,
    ) -> Response:
        like = UserFilter(role=role, category=category, active=active, q=q, card_number=card_number)
        return page_answer(await users.find(like=like, window=window, actor=actor), request)

    @router.post("", summary="Register a person", response_model=User, status_code=201)
    async def add(
        request: Request,
        actor: Edits,
        person: Annotated[NewUser, Body(openapi_examples={"ann": ANN})],
    ) -> Response:
        """A role other than `reader` needs `people:roles`."""
        made = await users.add(person=person, actor=actor, now=datetime.now(UTC))
        return _made(made, request)

    @router.patch("/{user_id}", summary="Change a person", response_model=User)
    async def change(
        request: Request,
        actor: Self,
        user_id: UUID,
        changes: Annotated[UserChanges, Body(openapi_examples={"moved": MOVED})],
        version: ExpectedVersion,
    ) -> Response:
        """Oneself: name, e-mail, language, history. The rest needs `people:write`; roles and
        whoever is staff need `people:roles`.
        """
        changed = await users.change(
            user_id=user_id,
            changes=changes.model_dump(exclude_unset=True),
            actor=actor,
            now=datetime.now(UTC),
            version=version,
        )
        return _shown(changed, request)

    @router.delete("/{user_id}", summary="Remove a person", status_code=204)
    async def remove(actor: Edits, user_id: UUID, version: ExpectedVersion) -> Response:
        """Erases what is personal; loans stay recorded. Staff need `people:roles`."""
        await users.remove(user_id=user_id, actor=actor, now=datetime.now(UTC), version=version)
        return Response(None, 204)

    return router


def _blocks(users: Users) -> APIRouter:
    router = APIRouter(prefix="/api/v1/users/{user_id}/blocks", tags=["users"])

    @router.get("", summary="Why a person may not borrow", response_model=Page[PatronBlock])
    async def blocks(request: Request, actor: Self, user_id: UUID) -> Response:
        return items_answer(await users.blocks(user_id=user_id, actor=actor), request)

    @router.post("", summary="Block a person", response_model=PatronBlock, status_code=201)
    async def block(
        request: Request,
        actor: Edits,
        user_id: UUID,
        block: Annotated[NewBlock, Body(openapi_examples={"stolen": BLOCK})],
    ) -> Response:
        placed = await users.block(user_id=user_id, block=block, actor=actor, now=datetime.now(UTC))
        where = f"/api/v1/users/{user_id}/blocks/{placed.id}"
        return answer(placed, request, status=201, location=where)

    @router.delete("/{block_id}", summary="Lift a block", status_code=204)
    async def unblock(actor: Edits, user_id: UUID, block_id: UUID) -> Response:
        await users.unblock(user_id=user_id, block_id=block_id, actor=actor, now=datetime.now(UTC))
        return Response(None, 204)

    return router


def _given(name: str, text: str) -> str:
    """A form field as sent. Raises InvalidTokenRequest when it is missing or no line of text."""
    if not text:
        raise InvalidTokenRequest(f"{name} is missing.", error="invalid_request")
    if len(text) > LONGEST_FIELD or CONTROL.search(text):
        raise InvalidTokenRequest(f"{name} cannot be read.", error="invalid_request")
    return text


def _id(actor: Actor) -> UUID:
    if actor.id is None:
        raise SignInNeeded("Sign in first.")
    return actor.id


def _shown(user: User, request: Request) -> Response:
    return answer(user, request, etag=version_tag(user.version))


def _made(user: User, request: Request) -> Response:
    return answer(
        user,
        request,
        status=201,
        etag=version_tag(user.version),
        location=f"/api/v1/users/{user.id}",
    )
