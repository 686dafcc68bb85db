"""Values of the domain as JSON, nothing else.

What depends on a mail's content comes ready made in its Digest and is copied into place, so a list
of fifty costs microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from time import gmtime, strftime
from urllib.parse import quote

import orjson

from tempmail.content.told import Digest
from tempmail.core.address import Address
from tempmail.core.domains import Domains
from tempmail.core.limits import Limits
from tempmail.core.mailbox import Change, MailboxState
from tempmail.core.message import Attempt, Message
from tempmail.waiting import Inbox, Minted, Page

_BOOLEAN = (b"false", b"true")
_END = (b',"size":%d,"seen":false}', b',"size":%d,"seen":true}')
# What may not stand in a quoted string everywhere: quotes, escapes, and all but printable ASCII.
_BEYOND_QUOTED = re.compile(r"""[^ -~]|["%\\]""")
_COMMA = b","


@lru_cache(maxsize=4096)
def instant(seconds: float) -> str:
    """Seconds since the epoch in the form of RFC 3339, UTC, to the millisecond."""
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{_second(whole)}.{thousandths:03d}Z"


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds))


def domains(known: Domains, limits: Limits) -> bytes:
    """Which domains take mail, and what minting may ask for."""
    entries = [{"domain": str(domain), "mode": domain.mode.value} for domain in known.domains]
    return orjson.dumps(
        {
            "domains": entries,
            "min_lifetime": limits.min_lifetime,
            "default_lifetime": limits.default_lifetime,
            "max_lifetime": limits.max_lifetime,
            "max_message_size": limits.max_message_size,
        }
    )


def mailbox(state: MailboxState) -> bytes:
    """A mailbox."""
    return orjson.dumps(_mailbox(state))


def minted(new: Minted) -> bytes:
    """A new mailbox with its secrets."""
    return orjson.dumps(
        _mailbox(new.mailbox) | {"token": new.token, "restore_key": new.restore_key}
    )


def token(fresh: str) -> bytes:
    """A token."""
    return orjson.dumps({"token": fresh})


def attempts(refused: Sequence[Attempt]) -> bytes:
    """Mail that was refused; who it came from, but not from where."""
    return orjson.dumps(
        {
            "attempts": [
                {
                    "at": instant(attempt.at),
                    "mail_from": attempt.mail_from,
                    "helo": attempt.helo,
                    "stage": attempt.stage,
                    "reply": attempt.reply or None,
                }
                for attempt in refused
            ]
        }
    )


def page(found: Page, digests: Sequence[Digest]) -> bytes:
    """A list of messages."""
    pieces = [b'{"messages":', *_summaries(found.messages, digests)]
    pieces.append(
        b',"cursor":"%d","expires_at":"%b","timed_out":%b}'
        % (found.cursor, instant(found.expires_at).encode(), _BOOLEAN[found.timed_out])
    )
    return b"".join(pieces)


def inbox(found: Inbox, digests: Sequence[Digest]) -> bytes:
    """One of several mailboxes: its new messages, and how it stands."""
    state = found.mailbox
    return b"".join(
        (
            b'{"address":%b,"messages":' % orjson.dumps(state.address.key),
            *_summaries(found.messages, digests),
            b',"cursor":"%d","expires_at":"%b","max_expires_at":"%b",'
            b'"message_count":%d,"unseen_count":%d}'
            % (
                found.cursor,
                instant(state.expires_at).encode(),
                instant(state.max_expires_at).encode(),
                state.message_count,
                state.unseen_count,
            ),
        )
    )


def shut(address: Address, problem: bytes) -> bytes:
    """One of several that can not be read, with the problem that it alone would answer."""
    return b'{"address":%b,"problem":%b}' % (orjson.dumps(address.key), problem)


def several(entries: Sequence[bytes], timed_out: bool) -> bytes:
    """Several mailboxes, each as ``inbox`` or ``shut`` have it."""
    return b'{"mailboxes":[%b],"timed_out":%b}' % (_COMMA.join(entries), _BOOLEAN[timed_out])


def summary(message: Message, digest: Digest) -> bytes:
    """A message in a list."""
    return b"".join(_summary(message, digest))


def whole(message: Message, digest: Digest, members: bytes) -> bytes:
    """A message, all of it; ``members`` is what it has besides its digest.

    Of its recipients only this mailbox: the others may be in a Bcc.
    """
    envelope = message.parcel.envelope
    return b'%b,%b,"envelope":%b}' % (
        summary(message, digest)[:-1],
        members,
        orjson.dumps(
            {
                "mail_from": envelope.mail_from,
                "rcpt_to": [message.recipient.displayed],
                "helo": envelope.helo,
                "tls": envelope.tls,
                "protocol": envelope.protocol,
            }
        ),
    )


def event(change: Change) -> bytes:
    """Something that happened to a mailbox, other than an arrival."""
    document: dict[str, object] = {"type": change.kind, "cursor": str(change.sequence)}
    if change.message_id is not None:
        document["id"] = change.message_id
    if change.expires_at is not None:
        document["expires_at"] = instant(change.expires_at)
    return orjson.dumps(document)


def arrival(message: Message, digest: Digest) -> bytes:
    """The event of a mail that came."""
    return b'{"type":"message","cursor":"%d","message":%b}' % (
        message.sequence,
        summary(message, digest),
    )


def found(message: Message | None, digest: Digest | None, members: bytes, page: Page) -> bytes:
    """What a wait for one mail brought; ``members`` as for ``whole``."""
    return b'{"message":%b,"code":%b,"link":%b,"cursor":"%d","timed_out":%b}' % (
        b"null" if message is None or digest is None else whole(message, digest, members),
        orjson.dumps(digest and digest.code),
        orjson.dumps(digest and digest.link),
        page.cursor,
        _BOOLEAN[message is None],
    )


def download(filename: str) -> str:
    """The Content-Disposition of a file to be saved (RFC 6266, RFC 8187).

    The name is given twice: in ASCII, with underscores, for those that know no better, and whole.
    """
    plain = _BEYOND_QUOTED.sub("_", filename)
    whole_name = quote(filename.encode("utf-8", "replace"), safe="")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{whole_name}"


def plain(text: str) -> bytes:
    """Text as it is, a lone surrogate as a question mark."""
    return text.encode("utf-8", "replace")


def _summaries(messages: Sequence[Message], digests: Sequence[Digest]) -> list[bytes]:
    """A list of messages, in pieces."""
    pieces = [b"["]
    for message, digest in zip(messages, digests, strict=True):
        pieces += _summary(message, digest)
        pieces.append(_COMMA)
    if messages:
        pieces.pop()
    pieces.append(b"]")
    return pieces


def _summary(message: Message, digest: Digest) -> tuple[bytes, bytes, bytes]:
    """A message in a list, in pieces: joining those of all at once is twice as fast."""
    number, parcel = message.sequence, message.parcel
    place = f'{{"id":"{number}","cursor":"{number}","received_at":"{instant(parcel.received_at)}",'
    return place.encode(), digest.summary, _END[message.seen] % parcel.size


def _mailbox(state: MailboxState) -> dict[str, object]:
    return {
        "address": state.address.key,
        "public": state.public,
        "created_at": instant(state.created_at),
        "expires_at": instant(state.expires_at),
        "max_expires_at": instant(state.max_expires_at),
        "cursor": str(state.cursor),
        "message_count": state.message_count,
        "unseen_count": state.unseen_count,
        "size": state.size,
    }
