"""`tempmail doctor`: an examination of everything the server needs, without starting it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn

from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.logger import globalLogBeginner

from tempmail.core.limits import DOCTOR_DNS_SECONDS
from tempmail.doctor.blocklists import check_blocked_senders, check_blocklists
from tempmail.doctor.certificates import check_certificates
from tempmail.doctor.findings import (
    Finding,
    Level,
    as_json,
    as_text,
    count,
    failed,
    ok,
    problem,
    surely,
)
from tempmail.doctor.machine import check_clock, check_machine, check_user
from tempmail.doctor.names import Names, check_names
from tempmail.doctor.operator import check_operator
from tempmail.doctor.options import DoctorOptions
from tempmail.doctor.ports import check_ports
from tempmail.doctor.restarts import check_restarts
from tempmail.resolver import QuietResolver
from tempmail.settings import Settings

__all__ = ["examine", "main"]


def main(argv: Sequence[str]) -> int:
    """Examine, print what was found, and return the exit code: 1 where there is a problem."""
    # What Twisted logs while doors open and close is not part of the findings.
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False, discardBuffer=True)
    try:
        react(_start, [argv])
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1


def _start(reactor: Any, argv: Sequence[str]) -> Deferred[NoReturn]:
    return Deferred.fromCoroutine(_run(reactor, argv))


async def _run(reactor: Any, argv: Sequence[str]) -> NoReturn:
    try:
        findings = await examine(argv, reactor)
    except Exception as error:
        # Twisted would end the process with 1 and not a word, for the log leads nowhere.
        findings = [failed("doctor", error)]
    print(as_json(findings) if "--json" in argv else as_text(findings), flush=True)
    raise SystemExit(1 if count(findings, Level.PROBLEM) else 0)


async def examine(argv: Sequence[str], reactor: Any) -> list[Finding]:
    """All findings for a server with these options. ``--help`` ends the process."""
    options = DoctorOptions()
    try:
        options.parseOptions(argv)
    except SystemExit as ended:
        if not isinstance(ended.code, str):
            raise
        mistake = ended.code.removeprefix("tempmail: ")
        return [problem("options", mistake, "see docs/running.md; `tempmail doctor --help`")]
    settings = options.read()
    where = f"{options.config} and the command line" if options.config else "the command line"
    findings = [ok("options", f"{where}: can be read, and nothing in it contradicts itself")]
    resolver = QuietResolver(reactor, settings.dns_server, DOCTOR_DNS_SECONDS)
    findings += [one async for one in _all(settings, Names(resolver, reactor), reactor)]
    await resolver.close()
    return findings


async def _all(settings: Settings, names: Names, reactor: Any) -> AsyncIterator[Finding]:
    now = datetime.now(UTC)
    every = settings.dns_server is not None
    checks: Sequence[tuple[str, Iterable[Finding] | AsyncIterable[Finding]]] = (
        ("ports", check_ports(settings, reactor)),
        ("certificates", check_certificates(settings, now)),
        ("names", check_names(settings, names, every)),
        ("blocked", check_blocked_senders(settings)),
        ("dnsbl", check_blocklists(settings, names)),
        ("clock", check_clock(now)),
        ("memory", check_machine(settings)),
        ("user", check_user(settings, os.geteuid())),
        ("operator", check_operator(settings)),
        ("restarts", check_restarts(settings)),
    )
    for check, findings in checks:
        async for finding in surely(check, findings):
            yield finding
