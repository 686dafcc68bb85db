"""The v1 routes: parse, call, render."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import cast
from urllib.parse import quote

from twisted.web.resource import IResource

from tempmail.content.policy import embedded
from tempmail.core.address import Address, normalise_domain
from tempmail.core.errors import (
    BadAddress,
    NoSuchMailbox,
    TokenNeeded,
    UnknownDomain,
)
from tempmail.core.limits import DEFAULT_WAIT_SECONDS
from tempmail.interfaces import IMailReader
from tempmail.waiting import Inbox, Match, Minted, Page, Round, Shut, Want
from tempmail.web import mbox, views
from tempmail.web.live import EventStream, Held, Streamed, follow
from tempmail.web.openapi import described
from tempmail.web.outlet import Outlet
from tempmail.web.problems import refusal
from tempmail.web.query import (
    Arguments,
    Member,
    bearer_token,
    json_body,
    known_address,
    sequence_of,
)
from tempmail.web.request import Request
from tempmail.web.routing import new_app, route
from tempmail.web.watching import watching
from tempmail.web.websocket import Upgraded

_MINT = {
    "local_part": Member(str),
    "domain": Member(str),
    "lifetime": Member(int),
    "public": Member(bool),
}
_EXTEND = {"lifetime": Member(int)}
_RESTORE = {"restore_key": Member(str, required=True)}
_SEEN = {"seen": Member(bool, required=True)}

_BOX = "/v1/mailboxes/<address>"
_MAIL = f"{_BOX}/messages"
_ONE = f"{_MAIL}/<id_>"


# Should a browser show an attachment after all, then as if it were of no origin.
_SANDBOX = "default-src 'none'; sandbox"


class Api:
    """Mailboxes and messages over HTTP."""

    app = new_app()

    def __init__(self, office: IMailReader) -> None:
        self._office = office

    @route(app, "GET", "/v1/openapi.json")
    def describe(self, request: Request) -> bytes:
        """All of this, for programs."""
        return request.reply(described(request.site.exposure.base_path))

    # --- mailboxes ---

    @route(app, "GET", "/v1/domains")
    def domains(self, request: Request) -> bytes:
        """Which domains take mail."""
        return request.reply(views.domains(self._office.domains, self._office.limits))

    @route(app, "POST", "/v1/mailboxes")
    async def mint(self, request: Request) -> bytes:
        """A new address."""
        request.allowance.spend("mint_rate")
        wished = json_body(request, _MINT)
        if "domain" in wished:
            wished["domain"] = _domain(wished["domain"])
        caller = request.allowance.caller
        minted = await self._office.mint(**wished, client=caller.client, payer=caller.counted)
        return _created(request, minted)

    @route(app, "GET", _BOX)
    async def mailbox(self, request: Request, address: str) -> bytes:
        """Its state."""
        state = await self._office.mailbox(*_who(request, address))
        return request.reply(views.mailbox(state))

    @route(app, "POST", f"{_BOX}/extend")
    async def extend(self, request: Request, address: str) -> bytes:
        """A longer life."""
        state = await self._office.extend(*_who(request, address), **json_body(request, _EXTEND))
        return request.reply(views.mailbox(state))

    @route(app, "GET", f"{_BOX}/attempts")
    async def attempts(self, request: Request, address: str) -> bytes:
        """Mail for it that was refused."""
        return request.reply(views.attempts(await self._office.attempts(*_who(request, address))))

    @route(app, "POST", f"{_BOX}/token")
    async def rotate_token(self, request: Request, address: str) -> bytes:
        """Another token."""
        json_body(request, {})
        fresh = await self._office.rotate_token(*_who(request, address))
        return request.reply(views.token(fresh))

    @route(app, "POST", f"{_BOX}/restore")
    async def restore(self, request: Request, address: str) -> bytes:
        """The same address again."""
        request.allowance.spend("mint_rate")
        request.allowance.check_guesses()
        key = json_body(request, _RESTORE)["restore_key"]
        # The key is shown in the body, so whoever comes without a token is not told to bring one.
        known = known_address(address, token=key)
        client = request.allowance.caller.client
        return _created(request, await self._office.restore(known, key, client))

    @route(app, "DELETE", _BOX)
    async def delete_mailbox(self, request: Request, address: str) -> bytes:
        """Address and mail, at once."""
        await self._office.delete_mailbox(*_who(request, address))
        return request.no_content()

    # --- messages ---

    @route(app, "GET", _MAIL)
    async def messages(self, request: Request, address: str) -> bytes | IResource:
        """A list, or the wait for one."""
        arguments = Arguments(request)
        after, limit = arguments.cursor(), arguments.limit()
        match = Match(arguments.text("from"), arguments.text("subject"))
        wait = arguments.seconds("wait")
        arguments.check()
        known, token = _who(request, address)
        look = partial(self._office.messages, known, token, after=after, limit=limit, match=match)
        page = await look()
        if wait and not page:
            request.allowance.begin_wait()
            return Held(look(wait=wait), self._page)
        return await self._page(request, page)

    async def _page(self, request: Request, page: Page) -> bytes:
        body = views.page(page, await self._office.digests(page.messages))
        for message in page.messages:
            request.told(message)
        return request.reply(body)

    @route(app, "GET", f"{_BOX}/wait")
    async def wait(self, request: Request, address: str) -> bytes | IResource:
        """One message that has what is wanted, as soon as there is one."""
        arguments = Arguments(request)
        after, seconds = arguments.cursor(), arguments.seconds("timeout", DEFAULT_WAIT_SECONDS)
        want = cast(Want, arguments.choice("want", "message", "code", "link"))
        match = Match(arguments.text("from"), arguments.text("subject"), want)
        arguments.check()
        known, token = _who(request, address)
        look = partial(self._office.messages, known, token, after=after, limit=1, match=match)
        page = await look()
        if seconds and not page:
            request.allowance.begin_wait()
            return Held(look(wait=seconds), self._found)
        return await self._found(request, page)

    async def _found(self, request: Request, page: Page) -> bytes:
        if not page:
            return request.reply(views.found(None, None, b"", page))
        (message,) = page.messages
        opened = await self._office.whole(message)
        request.told(message)
        return request.reply(views.found(message, *opened, page))

    @route(app, "POST", "/v1/wait")
    def watch(self, request: Request) -> IResource:
        """Whatever comes to one of several mailboxes."""
        asked = watching(request)
        request.allowance.check_guesses()
        if asked.seconds:
            request.allowance.begin_wait()
        found = self._office.watch(asked.watches, limit=asked.limit, wait=asked.seconds)
        return Held(found, self._several)

    async def _several(self, request: Request, found: Round) -> bytes:
        for one in found.entries:
            if isinstance(one, Shut) and isinstance(one.reason, NoSuchMailbox | TokenNeeded):
                request.allowance.count_guess()
        entries, size = [], 0
        for one in found.entries:
            if isinstance(one, Inbox):
                entry = views.inbox(one, await self._office.digests(one.messages))
                for message in one.messages:
                    request.told(message)
            else:
                entry = views.shut(one.address, refusal(one.reason).body)
            # Mail that is in many of the mailboxes is told as often.
            request.allowance.take_growing(size, len(entry))
            size += len(entry)
            entries.append(entry)
        return request.reply(views.several(entries, found.timed_out))

    @route(app, "GET", f"{_BOX}/events")
    async def events(self, request: Request, address: str) -> IResource:
        """Every change, as it happens, to an EventSource."""
        arguments = Arguments(request)
        after = arguments.resumed(request)
        arguments.check()
        who = _who(request, address, in_query=True)
        await self._office.mailbox(*who)
        request.allowance.begin_wait()
        request.header("Content-Type", EventStream.CONTENT_TYPE)
        # nginx would keep events back until its buffer is full.
        request.header("X-Accel-Buffering", "no")

        async def tell(outlet: Outlet) -> None:
            stream = EventStream(outlet)
            await stream.keep_alive()
            # A client whose token was revoked is told so when it comes again.
            with suppress(NoSuchMailbox):
                await follow(self._office, *who, after, stream, request.told)

        return Streamed(tell)

    @route(app, "GET", f"{_BOX}/ws")
    async def websocket(self, request: Request, address: str) -> IResource:
        """The same over a websocket."""
        arguments = Arguments(request)
        after = arguments.cursor()
        arguments.check()
        who = _who(request, address, in_query=True)
        await self._office.mailbox(*who)
        request.allowance.begin_wait()
        return Upgraded(partial(follow, self._office, *who, after, told=request.told))

    @route(app, "GET", f"{_BOX}/export")
    async def export(self, request: Request, address: str) -> IResource:
        """Every message, as one mbox."""
        known, token = _who(request, address, in_query=True)
        state = await self._office.mailbox(known, token)
        request.header("Content-Type", mbox.CONTENT_TYPE)
        request.header("Content-Disposition", views.download(f"{state.address.key}.mbox"))

        async def write(outlet: Outlet) -> None:
            after = 0
            while page := await self._office.messages(known, token, after=after, limit=1):
                for piece in mbox.entry(page.messages[0]):
                    await outlet.write(piece)
                after = page.cursor

        return Streamed(write)

    @route(app, "DELETE", _MAIL)
    async def empty(self, request: Request, address: str) -> bytes:
        """All messages."""
        await self._office.empty(*_who(request, address))
        return request.no_content()

    @route(app, "GET", _ONE)
    async def message(self, request: Request, address: str, id_: str) -> bytes:
        """The whole message."""
        message = await self._office.message(*_who(request, address), sequence_of(id_))
        return request.reply(views.whole(message, *await self._office.whole(message)))

    @route(app, "GET", f"{_ONE}/text")
    async def text(self, request: Request, address: str, id_: str) -> bytes:
        """Its plain text."""
        message = await self._office.message(*_who(request, address), sequence_of(id_))
        digest = await self._office.digest(message)
        return request.reply(views.plain(digest.text), "text/plain; charset=utf-8")

    @route(app, "GET", f"{_ONE}/raw")
    async def raw(self, request: Request, address: str, id_: str) -> bytes:
        """The received octets."""
        who = _who(request, address, in_query=True)
        message = await self._office.message(*who, sequence_of(id_))
        request.header("Content-Disposition", views.download(f"{message.id}.eml"))
        return request.reply(message.parcel.octets, "message/rfc822", kept=True)

    @route(app, "GET", f"{_ONE}/html")
    async def html(self, request: Request, address: str, id_: str) -> bytes:
        """Its HTML, as a page of its own that can do no harm."""
        arguments = Arguments(request)
        images_remote = arguments.choice("images", "", "remote") == "remote"
        embed = arguments.choice("embed", "false", "true") == "true"
        arguments.check()
        document = await self._office.html(
            *_who(request, address, in_query=True), sequence_of(id_), images_remote=images_remote
        )
        headers = embedded(document.headers) if embed else document.headers
        for name, value in headers.items():
            request.header(name, value)
        return request.reply(document.octets, document.headers["Content-Type"])

    @route(app, "GET", f"{_ONE}/attachments/<index>")
    async def attachment(self, request: Request, address: str, id_: str, index: str) -> bytes:
        """One attachment."""
        found = await self._office.attachment(
            *_who(request, address, in_query=True), sequence_of(id_), sequence_of(index)
        )
        described = found.attachment
        request.header("Content-Disposition", views.download(described.filename))
        request.header("Content-Security-Policy", _SANDBOX)
        return request.reply(found.content, described.content_type)

    @route(app, "PATCH", _ONE)
    async def mark(self, request: Request, address: str, id_: str) -> bytes:
        """Seen or not; answers with the summary."""
        seen = json_body(request, _SEEN)["seen"]
        message = await self._office.mark_seen(*_who(request, address), sequence_of(id_), seen)
        return request.reply(views.summary(message, await self._office.digest(message)))

    @route(app, "DELETE", _ONE)
    async def delete_message(self, request: Request, address: str, id_: str) -> bytes:
        """One message."""
        await self._office.delete_message(*_who(request, address), sequence_of(id_))
        return request.no_content()


def _who(request: Request, address: str, in_query: bool = False) -> tuple[Address, str | None]:
    """Which mailbox is meant, and the token shown for it."""
    request.allowance.check_guesses()
    token = bearer_token(request, in_query)
    return known_address(address, token), token


def _domain(text: str) -> str:
    """A domain to mint in. One that is malformed is one we do not serve."""
    try:
        return normalise_domain(text)
    except BadAddress as error:
        raise UnknownDomain(str(error)) from None


def _created(request: Request, minted: Minted) -> bytes:
    address = quote(minted.mailbox.address.key, safe="")
    request.header("Location", f"{request.site.exposure.base_path}/v1/mailboxes/{address}")
    return request.reply(views.minted(minted), status=HTTPStatus.CREATED)
