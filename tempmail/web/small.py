"""The original small interface: /create, /send and /inbox, for the clients that know no other.

What it answers is, byte for byte, what Flask's ``jsonify`` makes of it. Where the programme it
comes from broke down (a body that is no object, an address that is a list) we answer a problem.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from json import dumps, loads
from typing import Any

from tempmail.core.address import Address, draw_plain_local, parse_address
from tempmail.core.errors import (
    BadAddress,
    MailboxGone,
    NoSuchMailbox,
    TokenNeeded,
    UnknownDomain,
)
from tempmail.core.limits import UNLIMITED
from tempmail.core.message import Message
from tempmail.interfaces import IMailReader
from tempmail.web.problems import Problem, unacceptable
from tempmail.web.query import check_json_type
from tempmail.web.request import Request
from tempmail.web.routing import new_app, route


class Small:
    """Three calls on public mailboxes that nobody holds a token of."""

    app = new_app()

    def __init__(self, office: IMailReader) -> None:
        self._office = office

    @route(app, "POST", "/create")
    async def create(self, request: Request) -> bytes:
        """A new mailbox. Whatever body there is does not matter."""
        request.allowance.spend("mint_rate")
        caller = request.allowance.caller
        minted = await self._office.mint(
            draw_local=draw_plain_local,
            public=True,
            held=False,
            client=caller.client,
            payer=caller.counted,
        )
        return request.reply(_json({"mailbox": minted.mailbox.address.key}))

    @route(app, "POST", "/send")
    async def send(self, request: Request) -> bytes:
        """Put a mail into a mailbox."""
        request.allowance.spend("send_rate")
        request.allowance.check_guesses()
        typed = _object(request)
        mail = {
            "from": typed.get("from", "anonymous@web"),
            "subject": typed.get("subject", "(No Subject)"),
            "body": typed.get("body", ""),
        }
        try:
            await self._office.post(
                _address(typed.get("to")),
                sender=_text(mail["from"]),
                subject=_text(mail["subject"]),
                body=_text(mail["body"]),
                posted=_echo(mail),
                client=request.allowance.caller.counted,
            )
        except (BadAddress, NoSuchMailbox, UnknownDomain):
            return _not_found(request)
        return request.reply(_json({"status": "sent"}))

    @route(app, "GET", "/inbox/<mailbox>")
    async def inbox(self, request: Request, mailbox: str) -> bytes:
        """Every mail, oldest first."""
        request.allowance.check_guesses()
        try:
            page = await self._office.messages(parse_address(mailbox), None, limit=UNLIMITED)
        except (BadAddress, MailboxGone, NoSuchMailbox, TokenNeeded):
            return _not_found(request)
        entries = [await self._entry(message) for message in page.messages]
        return request.reply(b"[%b]\n" % b",".join(entries))

    async def _entry(self, message: Message) -> bytes:
        """One mail: what was posted is given back as it was, of any other mail what it says."""
        posted = message.parcel.envelope.posted
        if posted is None:
            digest = await self._office.digest(message)
            mail = {
                "from": digest.sender_address or message.parcel.envelope.mail_from,
                "subject": digest.subject,
                "body": digest.text,
            }
            posted = _echo(mail)
        return b'%b,"time":%b}' % (posted[:-1], repr(message.parcel.received_at).encode())


def _object(request: Request) -> Mapping[str, Any]:
    """The body, read as Python reads JSON: that is what its clients were served by so far."""
    check_json_type(request)
    try:
        document = loads(request.content.read())
    except (ValueError, RecursionError) as error:
        raise Problem(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the body is a JSON object")
    return document


def _address(to: object) -> Address:
    if isinstance(to, (list, dict)):
        raise unacceptable([("to", "to is a string")])
    if not isinstance(to, str):
        raise NoSuchMailbox
    return parse_address(to)


def _text(value: object) -> str:
    """A value of any JSON type as the text of a mail."""
    return value if isinstance(value, str) else dumps(value)


def _echo(mail: Mapping[str, object]) -> bytes:
    try:
        return _json(mail)[:-1]
    except ValueError:
        # Python reads NaN and Infinity; nobody else could read them in the inbox.
        raise unacceptable([("body", "a number is out of range")]) from None


def _json(document: Mapping[str, object]) -> bytes:
    """As Flask writes it: names sorted, nothing but ASCII, no blanks, a line end."""
    text = dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f"{text}\n".encode()


def _not_found(request: Request) -> bytes:
    request.allowance.count_guess()
    return request.reply(_json({"error": "Mailbox not found"}), status=HTTPStatus.NOT_FOUND)
