"""Whose mail is refused: the operator's own list, and whether those in the DNS answer us."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from tempmail.blocklists import ERROR_CODES, LISTED_CODES, reversed_name
from tempmail.doctor.findings import Finding, advice, ok, problem
from tempmail.doctor.names import Names, NoAnswer
from tempmail.files import blocked_senders
from tempmail.listening import CannotStart
from tempmail.settings import Settings

# RFC 5782 section 5: the address that every list has, and the one that none may have.
_ALWAYS, _NEVER = "127.0.0.2", "127.0.0.1"


def check_blocked_senders(settings: Settings) -> Iterator[Finding]:
    """The operator's own list, without which the server does not start once it is named."""
    try:
        blocked = blocked_senders(settings)
    except CannotStart as error:
        yield problem("blocked", str(error), "see docs/running.md, Blocked senders")
        return
    if blocked is not None:
        yield ok("blocked", f"{settings.blocked_senders} can be read")


async def check_blocklists(settings: Settings, names: Names) -> AsyncIterator[Finding]:
    """A finding about each list."""
    for zone in settings.dnsbls:
        try:
            yield await _check(zone, names)
        except NoAnswer as failure:
            yield advice(
                "dnsbl",
                f"{zone} does not answer ({failure}), and so refuses nobody",
                "see that the name server can be reached, or set another by --dns-server",
            )


async def _check(zone: str, names: Names) -> Finding:
    codes = await names.codes(f"{reversed_name(_ALWAYS)}.{zone}")
    errors = [code for code in codes if code in ERROR_CODES or code not in LISTED_CODES]
    if errors:
        return advice(
            "dnsbl",
            f"{zone} answers {errors[0]}, which is an error: it may not be asked from here",
            "have a resolver of your own ask it, by --dns-server 127.0.0.1",
        )
    if not codes:
        return advice(
            "dnsbl",
            f"{zone} does not have {_ALWAYS}, as every list does (RFC 5782 section 5)",
            "see that the name is right, and that the list is still kept",
        )
    if await names.codes(f"{reversed_name(_NEVER)}.{zone}"):
        return problem("dnsbl", f"{zone} has every address, so no mail comes", "take it out")
    return ok("dnsbl", f"{zone} answers us")
