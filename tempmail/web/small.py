"""The original small interface: /create, /send and /inbox, for the clients that know no other.

What it answers is, byte for byte, what Flask's ``jsonify`` makes of it. Where the programme it
comes from broke down (a body that is no object, an address that is a list) we answer a problem.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from itertools import chain
from json import JSONEncoder, dumps, loads
from typing import Any

from twisted.web.resource import IResource

from tempmail.core.address import Address, draw_plain_local, parse_address
from tempmail.core.errors import (
    BadAddress,
    MailboxGone,
    NoSuchMailbox,
    TokenNeeded,
    UnknownDomain,
)
from tempmail.core.limits import POUR_OCTETS, UNLIMITED
from tempmail.core.message import Message
from tempmail.interfaces import IMailReader
from tempmail.web.live import Streamed
from tempmail.web.outlet import Outlet
from tempmail.web.problems import Problem, unacceptable
from tempmail.web.query import check_json_type
from tempmail.web.request import JSON, Request
from tempmail.web.routing import new_app, route

# A character becomes six octets at most, or two times six.
_SLICE = POUR_OCTETS // 12
_encode = JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


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
        posted, text = _written(mail)
        try:
            await self._office.post(
                _address(typed.get("to")),
                sender=text["from"],
                subject=text["subject"],
                body=text["body"],
                posted=posted,
                client=request.allowance.caller.counted,
            )
        except (BadAddress, NoSuchMailbox, UnknownDomain):
            return _not_found(request)
        return request.reply(_json({"status": "sent"}))

    @route(app, "GET", "/inbox/<mailbox>")
    async def inbox(self, request: Request, mailbox: str) -> bytes | IResource:
        """Every mail, oldest first."""
        request.allowance.check_guesses()
        try:
            page = await self._office.messages(parse_address(mailbox), None, limit=UNLIMITED)
        except (BadAddress, MailboxGone, NoSuchMailbox, TokenNeeded):
            return _not_found(request)
        if sum(message.size for message in page.messages) > POUR_OCTETS:
            return self._stream(request, parse_address(mailbox))
        entries = [b"".join(await self._entry(message)) for message in page.messages]
        return request.reply(b"[%b]\n" % b",".join(entries))

    def _stream(self, request: Request, address: Address) -> IResource:
        """The same, made as the client takes it: as JSON it may be six times what the mails are."""
        request.header("Content-Type", JSON)

        async def write(outlet: Outlet) -> None:
            made, after = bytearray(b"["), 0
            while page := await self._office.messages(address, None, after=after, limit=1):
                made += b"," if after else b""
                for piece in await self._entry(page.messages[0]):
                    made += piece
                    if len(made) >= POUR_OCTETS:
                        await outlet.write(bytes(made))
                        made.clear()
                after = page.cursor
            await outlet.write(bytes(made + b"]\n"))

        return Streamed(write)

    async def _entry(self, message: Message) -> Iterable[bytes]:
        """One mail, in pieces: what was posted as it was, of any other mail what it says."""
        parcel = message.parcel
        time = b',"time":%b}' % repr(parcel.received_at).encode()
        if parcel.envelope.posted is not None:
            return (parcel.envelope.posted[:-1], time)
        digest = parcel.reading or await self._office.digest(message)
        sender = digest.sender_address or parcel.envelope.mail_from
        rest = _json({"from": sender, "subject": digest.subject})[1:-2]
        return chain(_body(digest.text), (rest, time))


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


def _body(text: str) -> Iterator[bytes]:
    """The first member of an entry: a mail's text may be much too long to be made at once."""
    yield b'{"body":"'
    for start in range(0, len(text), _SLICE):
        yield _encode(text[start : start + _SLICE])[1:-1].encode()
    yield b'",'


def _written(mail: Mapping[str, object]) -> tuple[bytes, dict[str, str]]:
    """What a mail is given back from, and its parts as the text of a mail, of any JSON type."""
    try:
        posted = _json(mail)[:-1]
        return posted, {
            name: value if isinstance(value, str) else dumps(value) for name, value in mail.items()
        }
    except ValueError:
        # Python reads NaN and Infinity; nobody else could read them in the inbox.
        raise unacceptable([("body", "a number is out of range")]) from None
    except RecursionError:
        raise unacceptable([("body", "this is nested too deeply")]) from None


def _json(document: Mapping[str, object]) -> bytes:
    """As Flask writes it: names sorted, nothing but ASCII, no blanks, a line end."""
    return f"{_encode(document)}\n".encode()


def _not_found(request: Request) -> bytes:
    request.allowance.count_guess()
    return request.reply(_json({"error": "Mailbox not found"}), status=HTTPStatus.NOT_FOUND)
