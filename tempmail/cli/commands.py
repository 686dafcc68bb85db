"""The commands of `tempmail`: each asks the server, and prints what a script or a person wants."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress
from datetime import datetime
from typing import cast

from attrs import frozen

from tempmail.cli.console import Console
from tempmail.cli.tokens import TokenStore
from tempmail.client import (
    Box,
    Client,
    Found,
    Mailbox,
    Message,
    Person,
    Summary,
    TempmailError,
    WaitTimedOut,
)

PAGE = 500
"""Summaries asked for at once: the most that the interface allows."""


@frozen
class Job:
    """One run: what was asked for, and what it may use."""

    options: Namespace
    client: Client
    console: Console
    tokens: TokenStore

    def box(self) -> Box:
        """The mailbox that the command line names, with the token given or kept."""
        address = self.options.address.strip()
        token = self.options.token or self.tokens.recall(self.client.base_url, address)
        return self.client.box(address, token)


async def new(job: Job) -> None:
    """Mints, keeps the token, prints the address."""
    options = job.options
    box = await job.client.mint(
        options.local_part, options.domain, options.lifetime, options.public
    )
    mailbox = cast(Mailbox, box.mailbox)
    _keep_token(job, box, mailbox)
    if options.show_token:
        secrets = {"token": box.token, "restore_key": box.restore_key}
        job.console.document({**mailbox.document, **secrets})
    elif options.json:
        job.console.document(mailbox.document)
    else:
        job.console.line(box.address)


def _keep_token(job: Job, box: Box, mailbox: Mailbox) -> None:
    """A failure is told and no more: the address is minted, so it must be printed in any case."""
    if box.token is None:
        return
    try:
        job.tokens.prune()
        job.tokens.remember(job.client.base_url, box.address, box.token, _epoch(mailbox.expires_at))
    except OSError as trouble:
        if not job.options.show_token:
            job.console.complain(
                f"the token could not be kept ({trouble}); see --show-token and TEMPMAIL_TOKEN"
            )


async def domains(job: Job) -> None:
    """Prints a line for every domain: its name, and how it takes mail."""
    found = await job.client.domains()
    if job.options.json:
        job.console.document(found.document)
        return
    for each in found.domains:
        job.console.line(f"{each.domain}  {each.mode}")


async def wait(job: Job) -> None:
    """Waits, and prints the code, the link, or the id of the message."""
    options, box = job.options, job.box()
    try:
        found = await _watched(job, box)
    except WaitTimedOut:
        await _count_the_rest(job, box)
        raise
    message = cast(Message, found.message)
    if options.json:
        job.console.document(found.document)
    else:
        values = {"message": message.id, "code": found.code, "link": found.link}
        job.console.line(values[options.want] or "")
    if options.delete:
        await box.delete_message(message.id)


async def _watched(job: Job, box: Box) -> Found:
    """Waits, and shows meanwhile that it does."""
    options = job.options
    what = f"waiting for a {options.want} at {box.address}"
    silent = nullcontext() if options.quiet else job.console.progress(what, options.timeout)
    with silent as progress:
        if progress is not None:
            job.client.on_retry = progress.trouble
        return await box.wait(
            options.want,
            options.timeout,
            sender=options.sender,
            subject=options.subject,
            after=options.after,
        )


async def _count_the_rest(job: Job, box: Box) -> None:
    """Says what is there instead: did nothing come at all, or only something else?"""
    with suppress(TempmailError):
        count = (await box.state()).message_count
        job.console.complain(
            f"the mailbox holds {count} message{'' if count == 1 else 's'}, none of them a match"
        )


async def list_(job: Job) -> None:
    """Prints a line for every message, oldest first."""
    box = job.box()
    page = await box.list(limit=PAGE)
    while page.messages:
        for summary in page.messages:
            _print_summary(job, summary)
        page = await box.list(after=page.messages[-1].cursor, limit=PAGE)


async def follow(job: Job) -> None:
    """Prints a line for every message, for ever."""
    if not job.options.quiet:
        job.client.on_retry = lambda trouble, pause: job.console.complain(
            f"{trouble}; asking again in {pause:.1f} s"
        )
    async for summary in job.box().follow(job.options.after):
        _print_summary(job, summary)


def _print_summary(job: Job, summary: Summary) -> None:
    if job.options.json:
        job.console.document(summary.document)
        return
    columns = [summary.id, _shown(summary.received_at), _named(summary.sender), summary.subject]
    if summary.code:
        columns.append(f"[{summary.code}]")
    job.console.line("  ".join(columns))


async def show(job: Job) -> None:
    """Prints a message, or one part of it."""
    options, box, console = job.options, job.box(), job.console
    if options.attachment is not None:
        console.octets(await box.attachment(options.id, options.attachment))
        return
    if options.part == "raw":
        console.octets(await box.raw(options.id))
        return
    message = await box.read(options.id)
    if options.json:
        console.document(message.document)
    else:
        console.block(_PARTS[options.part](message))


def _headers(message: Message) -> str:
    return "\n".join(f"{name}: {_one_line(value)}" for name, value in message.headers)


def _overview(message: Message) -> str:
    """The message for a person: who, to whom, when, what, and its text."""
    summary = message.summary
    rows = [
        ("From", _named(summary.sender)),
        ("To", ", ".join(summary.to)),
        ("Received", _shown(summary.received_at)),
        ("Subject", summary.subject),
        ("Code", summary.code),
        ("Link", summary.link),
        *(
            ("Attachment", f"{each.index}  {each.filename or '-'}  {each.content_type}")
            for each in message.attachments
        ),
        *(("Defect", defect) for defect in message.defects),
    ]
    head = "\n".join(f"{name}: {_one_line(value)}" for name, value in rows if value)
    return f"{head}\n\n{message.text or ''}"


_PARTS: dict[str, Callable[[Message], str]] = {
    "all": _overview,
    "text": lambda message: message.text or "",
    "html": lambda message: message.html or "",
    "headers": _headers,
}


async def attempts(job: Job) -> None:
    """Prints a line for every mail that was refused: when, what was said, who sent it."""
    for each in await job.box().attempts():
        if job.options.json:
            job.console.document(each.document)
        else:
            reply = each.reply or "the connection ended in the middle"
            sender = each.mail_from or "-"
            job.console.line(
                f"{_shown(each.at)}  {each.stage}  {_one_line(reply)}  {_one_line(sender)}"
            )


async def extend(job: Job) -> None:
    """Prolongs, and prints when it expires now."""
    box = job.box()
    mailbox = await box.extend(job.options.lifetime)
    with suppress(OSError):
        job.tokens.prolong(job.client.base_url, box.address, _epoch(mailbox.expires_at))
    if job.options.json:
        job.console.document(mailbox.document)
    else:
        job.console.line(_shown(mailbox.expires_at))


async def remove(job: Job) -> None:
    """Deletes the message that is named, or else the mailbox and its token."""
    box = job.box()
    if job.options.id is not None:
        await box.delete_message(job.options.id)
        return
    await box.delete()
    job.tokens.forget(job.client.base_url, box.address)


async def empty(job: Job) -> None:
    """Deletes every message."""
    await job.box().empty()


def _named(person: Person) -> str:
    return f"{person.name} <{person.address}>" if person.name else person.address


def _one_line(value: str) -> str:
    """`value` without what would begin another line, and so pass for another header."""
    return " ".join(value.split())


def _shown(time: datetime | None) -> str:
    return "-" if time is None else time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _epoch(time: datetime | None) -> float | None:
    return None if time is None else time.timestamp()


async def doctor(job: Job) -> None:
    """Reached only with an option before it, and says where it stands; see `tempmail.cli.main`."""
    raise ValueError("`doctor` stands first, and its options behind it: tempmail doctor --json")


COMMANDS: dict[str, Callable[[Job], Awaitable[None]]] = {
    "new": new,
    "domains": domains,
    "wait": wait,
    "list": list_,
    "show": show,
    "follow": follow,
    "attempts": attempts,
    "extend": extend,
    "rm": remove,
    "empty": empty,
    "doctor": doctor,
}
