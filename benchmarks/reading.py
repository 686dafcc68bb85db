"""How long it takes to glance at a mail and to read it: usual ones, and the worst we thought of.

``python -m benchmarks.reading`` prints processor time, the best of a few runs: of the hostile mails
for a glance, for reading, for the first attachment and for the inline pictures. With ``--check`` it
ends in failure if one takes longer than BOUND, or a glance longer than GLANCE_BOUND. The usual ones
are also given to the standard library, for comparison.
"""

from __future__ import annotations

import argparse
import base64
import email
import email.policy
import os
import sys
import time
from collections.abc import Callable, Iterator

from tempmail.content.mime import attachment, glance, inline_pictures, read

MEGA = 1024 * 1024
# Seconds of processor time for one mail of any shape up to 25 MiB.
BOUND = 0.100
GLANCE_BOUND = 0.020

_HEAD = b"From: Ann <ann@example.org>\r\nTo: bob@example.net\r\nSubject: hello\r\n"
_MIXED = _HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
_PICTURE = b"--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
_LINE = b"The quick brown fox jumps over the lazy dog, and the dog does not mind.\r\n"


def usual() -> Iterator[tuple[str, bytes]]:
    """Mails as they come every day."""
    received = b"Received: from a.example.org by b.example.net; Mon, 1 Jan 2024 10:00:00 +0000\r\n"
    head = received * 4 + b"DKIM-Signature: v=1; a=rsa-sha256; bh=" + b"x" * 300 + b"\r\n" + _HEAD
    head += b"Date: Mon, 1 Jan 2024 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n"
    plain = b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
    yield "2 kB text", head + plain + _LINE * 15
    page = b'<p>Dear reader, =\r\nplease <a href=3D"https://example.org/">click</a>.</p>\r\n' * 750
    encoding = b"Content-Transfer-Encoding: quoted-printable\r\n"
    yield "50 kB HTML", head + encoding + b"Content-Type: text/html; charset=utf-8\r\n\r\n" + page
    pieces = [
        b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n",
        plain,
        _LINE * 50,
        b"\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n",
        b"<p>" + _LINE * 600,
        b"\r\n--b--\r\n",
    ]
    yield "50 kB alternative", head + b"".join(pieces)
    yield "25 MiB attached", _attached(os.urandom(18 * MEGA))


def _attached(content: bytes) -> bytes:
    encoded = base64.encodebytes(content).replace(b"\n", b"\r\n")
    return _MIXED + b"--b\r\n\r\nhi\r\n" + _PICTURE + encoded + b"\r\n--b--\r\n"


def _nested(depth: int, head: Callable[[int], bytes], end: bytes = b"\r\nhi\r\n") -> bytes:
    return _HEAD + b"".join(head(level) for level in range(depth)) + end


def _multipart(name: bytes) -> bytes:
    return b"Content-Type: multipart/mixed; boundary=%s\r\n\r\n--%s\r\n" % (name, name)


def hostile() -> Iterator[tuple[str, bytes]]:
    """Mails made to cost as much as they can."""
    yield from _hostile_structures()
    yield from _hostile_headers()
    yield from _hostile_bodies()


def _hostile_structures() -> Iterator[tuple[str, bytes]]:
    part = b"--b\r\nContent-Type: text/plain; charset=gb2312\r\n\r\n\xc4\xe3\r\n"
    yield "10,000 parts", _MIXED + part * 10_000 + b"--b--"
    yield "2,000,000 parts", _MIXED + b"--b\r\n\r\n\r\n" * 2_000_000
    yield "1,000 parts of base64", _MIXED + (_PICTURE + b"QUJD" * 6000 + b"\r\n") * 1000
    yield "parts with long names", _MIXED + _long_names() + b"--b--"
    yield "parts with endless headers", _MIXED + (b"--b\r\n" + b"a:\n" * 20_000) * 400
    yield "parts without blank lines", _MIXED + b"--b\r\nX: y\r\n" * 2_000_000
    yield "1,000 multiparts", _nested(1000, lambda level: _multipart(b"b%d" % level))
    yield (
        "1,000 multiparts, 25 MiB",
        _nested(1000, lambda level: _multipart(b"b%d" % level), b"\r\n--b\r\n" * 4_000_000),
    )
    yield "boundaries of boundaries", _nested(240, lambda level: _multipart(b"b" * (level + 1)))
    yield "one boundary for all", _nested(1000, lambda _: _multipart(b"b"))
    yield (
        "multiparts without boundary",
        _MIXED + b"--b\r\nContent-Type: multipart/x\r\n\r\n" * 50_000,
    )
    message = b"Content-Type: message/rfc822\r\n\r\n"
    yield "1,000 messages", _nested(1000, lambda _: message)
    yield "1,000 messages, 25 MiB", _nested(1000, lambda _: message, _LINE * (24 * MEGA // 73))
    yield "1,000 forwarded", _MIXED + (b"--b\r\n" + message + _HEAD + b"\r\nx\r\n") * 1000
    yield "parts with words", _MIXED + b"--b\r\nSubject: " + b"=?" * 400_000 + b"\r\n\r\nx\r\n--b--"
    yield (
        "parts with semicolons",
        _MIXED + (b"--b\r\nContent-Type: a/b" + b";" * 9000 + b"\n\n") * 99,
    )
    yield "one header block", _MIXED + b"--b\r\n" + b"x: y\r\n" * 4 * MEGA
    # Parts whose ends a careless reader looks for again and again.
    doubtful = _MIXED.replace(b"\r\n", b"\n") + b"--b\nno header\n\n"
    yield "doubtful parts", doubtful + b"--b\n\n" * 6_000
    yield "doubtful lines", doubtful + _LINE.replace(b"\r\n", b"\n") * 12_000
    yield (
        "doubtful multiparts",
        doubtful + (b"--b\nContent-Type: multipart/x" + b";" * 700 + b"\n\n\n") * 30,
    )
    yield "dashes", _MIXED + b"--\r\n" * (6 * MEGA)
    yield "hyphens", _MIXED + b"\n-" * (12 * MEGA)


def _long_names() -> bytes:
    name = b"Content-Type: a/b; " + b"; ".join(b"name*%d*=%%C3%%A9" % index for index in range(200))
    return (b"--b\r\n" + name + b"\r\n\r\nx\r\n") * 1000


def _hostile_headers() -> Iterator[tuple[str, bytes]]:
    def field(name: bytes, value: bytes) -> bytes:
        return _HEAD + name + b": " + value + b"\r\n\r\nhi"

    kilo = 1024
    yield "one field of 10 MB", field(b"X", b"y" * 10 * MEGA)
    yield "4,000,000 fields", b"X: y\r\n" * 4 * MEGA + b"\r\nhi"
    yield "folds", field(b"X-Folded", b"a" + b"\r\n " * 1_000_000)
    yield "lines that are no fields", _HEAD + b"x\n" * 8 * MEGA + b"Subject: y\n\nhi"
    for sign in (
        b",",
        b'"',
        b"(",
        b"<",
        b";",
        b":",
        b"a.",
        b"@a",
        b"\\",
        b'"\\',
        b" ",
        b"a ",
        b"<>",
    ):
        worst = b"Cc: " + sign * (64 * kilo // len(sign)) + b"\r\n"
        shown = f"addresses of {sign.decode()!r}"
        names = (b"From", b"Reply-To", b"Cc", b"To")
        yield shown, b"".join(worst.replace(b"Cc", name) for name in names) + b"\r\nhi"
    yield "50,000 addresses", field(b"Cc", b",".join(b"a%d@b.c" % n for n in range(50_000)))
    yield "300 kB of semicolons", field(b"Content-Type", b"text/plain" + b";" * 300_000)
    many = b"".join(b"; a%d=" % index for index in range(50_000))
    yield "50,000 parameters", field(b"Content-Type", b"text/plain" + many)
    many = b"".join(b"; name*%d*=a" % index for index in range(50_000))
    yield "50,000 segments", field(b"Content-Type", b"text/plain" + many)
    for charset in (b"utf-8", b"iso-2022-jp", b"utf-7", b"nonsense", b"gb2312"):
        word = b"=?%s?Q?abc=C3=A9?= " % charset
        yield f"20,000 words in {charset.decode()}", field(b"Subject", word * 20_000)
        lines = b"".join(b"X: " + word * 50 + b"\r\n" for _ in range(1000))
        yield f"words everywhere in {charset.decode()}", _HEAD + lines + b"\r\nhi"
    mixed = b"=?utf-8?Q?=C3=A9?= =?gb2312?Q?=C3=A9?= " * 10_000
    yield "words in turn", field(b"Subject", mixed)
    yield "words never closed", field(b"Subject", b"=?" * 200_000)
    yield "words never ended", field(b"Subject", b"=?a?q?" * 50_000)
    yield "a date of 100,000 numbers", field(b"Date", b"1 " * 100_000)
    yield "raw 8-bit", field(b"Subject", b"\xe9" * 200_000) + b"charset=" * 2000


def _hostile_bodies() -> Iterator[tuple[str, bytes]]:
    def body(head: bytes, octets: bytes) -> bytes:
        return _HEAD + head + b"\r\n\r\n" + octets[: 25 * MEGA]

    plain, page = b"Content-Type: text/plain", b"Content-Type: text/html"
    yield "base64 without end", body(b"Content-Transfer-Encoding: base64", b"A" * 25 * MEGA)
    yield "25 MiB in one line", body(plain, b"A" * 25 * MEGA)
    yield "12,000,000 empty lines", body(plain, b"\r\n" * 12 * MEGA)
    yield "bare CR", b"Subject: x\r\r" + b"\r" * 25 * MEGA
    yield "CR CR LF", b"Subject: x\r\r\n\r\r\n" + b"\r\r\n" * 8 * MEGA
    yield "mbox line", b"From x\n" + _HEAD + b"\r\n" + _LINE * (24 * MEGA // 73)
    flowed = plain + b"; format=flowed"
    yield "flowed", body(flowed, b"> > a \r\n" * 49_000)
    yield "flowed without end", body(flowed, b"a \n" * 8 * MEGA)
    yield (
        "uuencode",
        body(
            b"Content-Type: a/b\r\nContent-Transfer-Encoding: x-uuencode",
            b"begin 644 x\n" + (b"M" + b"A" * 60 + b"\n") * 420_000,
        ),
    )
    yield (
        "quoted-printable file",
        body(
            b"Content-Type: a/b\r\nContent-Transfer-Encoding: quoted-printable", b"=3D" * 9 * MEGA
        ),
    )
    yield (
        "quoted-printable line ends",
        body(
            b"Content-Type: a/b\r\nContent-Transfer-Encoding: quoted-printable", b"\n" * 25 * MEGA
        ),
    )
    charsets = (
        "utf-8 utf-7 utf-16 gb2312 big5 iso-2022-jp iso-2022-kr hz shift_jis euc-jp ks_c_5601-1987"
    )
    for charset in (*charsets.split(), "koi8-r", "zlib", "us-ascii"):
        head = plain + b"; charset=" + charset.encode()
        for name, unit in (
            ("faults", b"\xff"),
            ("letters", b"\xc4\xe3 a"),
            ("+", b"+"),
            ("~{", b"~{"),
        ):
            yield f"{charset} of {name}", body(head, unit * (25 * MEGA // len(unit)))
    yield (
        "kanji with vendor characters",
        body(plain + b"; charset=iso-2022-jp", b"\x1b$B" + b"-!" * 40_000 + b"\x1b(B"),
    )
    yield "escapes of JIS", body(plain + b"; charset=iso-2022-jp", b"\x1b$B-!" * 5 * MEGA)
    guess = b"--b\r\nContent-Type: text/plain; charset=x-nothing\r\n\r\n\xe9\xf0\xfe \xff\xff\r\n"
    yield "1,000 guesses", _MIXED + (guess + b"\xd0\xc2 " * 4000 + b"\r\n") * 1000
    yield "controls", body(plain, b"\x1b\x07a" * 8 * MEGA)
    both = b"Content-Type: multipart/alternative; boundary=b"
    yield "both controls", body(both, _both(b"\x1ba"))
    yield "both later controls", body(both, _both(b"\xc2\x80a"))
    cids = page + b"\r\n\r\n" + b"cid:a&amp;%41 " * 300_000
    yield (
        "cids",
        _MIXED
        + b"--b\r\n"
        + cids
        + b"\r\n"
        + _PICTURE.replace(b"/png", b"/png\r\nContent-ID: <a>"),
    )
    yield "meta", body(page, b"<meta " * 4 * MEGA)
    yield "random", os.urandom(25 * MEGA)
    yield "random lines", _HEAD + b"\r\n" + os.urandom(24 * MEGA).replace(b"a", b"\n--")


def _both(unit: bytes) -> bytes:
    part = unit * (12 * MEGA // len(unit))
    kinds = (b"plain", b"html")
    return b"".join(b"--b\r\nContent-Type: text/%s\r\n\r\n%s\r\n" % (kind, part) for kind in kinds)


def _seconds(work: Callable[[], object], times: int = 3) -> float:
    """The best of a few runs."""
    best = float("inf")
    for _ in range(times):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def _standard_library(octets: bytes) -> None:
    message = email.message_from_bytes(octets, policy=email.policy.default)
    _ = str(message["subject"]), str(message["from"]), str(message["to"]), message.items()
    for part in message.walk():
        if not part.is_multipart():
            part.get_content()


def main() -> int:
    """Measure everything; the exit status is 1 if something took too long and that is checked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if a bound is passed")
    parser.add_argument("only", nargs="*", help="names (or parts of them) of the hostile mails")
    options = parser.parse_args()
    for name, octets in () if options.only else usual():
        times = 3 if len(octets) > MEGA else 200
        mine = [_seconds(lambda: work(octets), times) for work in (glance, read)]  # noqa: B023
        theirs = _seconds(lambda: _standard_library(octets), min(times, 20))  # noqa: B023
        print(
            f"{name:32} glance {mine[0] * 1e6:8.1f} us  read {mine[1] * 1e3:8.3f} ms"
            f"  standard library {theirs * 1e3:8.3f} ms"
        )
    slow = 0
    for name, octets in hostile():
        if options.only and not any(part in name for part in options.only):
            continue
        works = (glance, read, lambda mail: attachment(mail, 0), inline_pictures)
        spent = [_seconds(lambda: work(octets), 2) for work in works]  # noqa: B023
        late = max(spent) > BOUND or spent[0] > GLANCE_BOUND
        slow += late
        figures = "  ".join(f"{seconds * 1e3:7.2f}" for seconds in spent)
        print(
            f"{name:32} {len(octets) / MEGA:6.2f} MiB  {figures} ms{'  SLOW' if late else ''}",
            flush=True,
        )
    return 1 if options.check and slow else 0


if __name__ == "__main__":
    sys.exit(main())
