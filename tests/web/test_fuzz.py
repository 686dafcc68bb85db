"""Whatever a client sends: it is answered in HTTP, nothing breaks, nothing is left."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tempmail.core.limits import Limits
from tests.fuzz import law, tried_for_long
from tests.smtp.support import cut
from tests.web.house import House, Wire

BOX = "/v1/mailboxes/box%40qa.test"
words = st.one_of(
    st.sampled_from(
        ["", "0", "1", "-1", "60", "1e3", "nan", "9" * 30, "code", "remote", "true", "box@qa.test"]
    ),
    st.text(max_size=8),
)
members = st.dictionaries(
    st.sampled_from(
        "after limit wait timeout want from subject images embed access_token x".split()
    ),
    words,
    max_size=4,
)
paths = st.one_of(
    st.sampled_from(
        [
            *("/", "/healthz", "/readyz", "/docs", "/v1/openapi.json", "/v1/domains", "/create"),
            *("/send", "/inbox/box@qa.test", "/v1/mailboxes", "/v1/wait", BOX, "*", "//", "/v1//"),
            *(f"{BOX}/{part}" for part in "messages wait events ws export attempts token".split()),
            *(f"{BOX}/{part}" for part in "extend restore messages/1 messages/1/html".split()),
            *(f"{BOX}/messages/{part}" for part in ("0/raw", "x", "1/attachments/0", "1/text")),
        ]
    ),
    st.lists(words, max_size=4).map(lambda parts: "/" + "/".join(parts)),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "mailboxes address token after timeout limit local_part domain lifetime public seen"
                " restore_key to from subject body".split()
            )
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)
headers = st.sampled_from(
    [
        *("Host: x", "Host: y", "Connection: close", "Connection: upgrade", "Upgrade: websocket"),
        *("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="),
        *("Last-Event-ID: 1", "Last-Event-ID: x", "Authorization: Bearer x", "Authorization: x"),
        *("Origin: https://a.example", "Expect: 100-continue", "Content-Encoding: gzip"),
        *("Accept-Encoding: gzip, br;q=0", "If-None-Match: *", "Range: bytes=0-1", "X", ": x"),
        *("X-Forwarded-For: 1.2.3.4, x", "Forwarded: for=x;;", "Transfer-Encoding: chunked"),
    ]
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """A request that may be right."""
    method = draw(st.sampled_from("GET HEAD POST PATCH DELETE OPTIONS PUT get X".split()))
    path = draw(paths)
    if draw(st.booleans()):
        pairs = draw(members).items()
        path += "?" + "&".join(f"{name}={quote(value, safe='&=')}" for name, value in pairs)
    body = draw(
        st.one_of(
            st.just(b""),
            values.map(lambda value: json.dumps(value).encode()),
            st.binary(max_size=30),
        )
    )
    lines = [f"{method} {path} HTTP/1.1".encode("utf-8", "replace"), b"Host: x"]
    if draw(st.booleans()):
        lines += [line.encode() for line in draw(st.lists(headers, max_size=3))]
    if body:
        lines += [b"Content-Type: application/json", b"Content-Length: %d" % len(body)]
    return b"\r\n".join([*lines, b"", body])


class RandomTests(SynchronousTestCase):
    """Connections made up by chance, to a server that has a mail."""

    @tried_for_long
    @law
    @given(
        st.lists(st.one_of(requests(), st.binary(max_size=60)), max_size=6),
        st.lists(st.integers(0, 3000), max_size=6),
    )
    def test_any_connection(self, said: list[bytes], cuts: list[int]) -> None:
        """Whatever is sent, no answer is a 500, and a client that leaves leaves nothing."""
        house = House(Limits(mailboxes_per_client=5))
        wire = Wire(house.site)
        heard = b""
        for piece in cut(b"".join(said), cuts):
            if not wire.closed:
                heard += wire.send(piece)
        house.turn(61)
        heard += wire.take()
        statuses = {int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", heard)}
        self.assertFalse({status for status in statuses if status == 500}, heard)
        wire.hang_up()
        self.assertFalse(any(house.site.held.values()))
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual(house.clock.getDelayedCalls(), [])
