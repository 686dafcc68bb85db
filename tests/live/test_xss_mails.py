"""Hostile mail all the way: sent by SMTP, opened from the real server in a real browser.

Every attack of ``tests/corpus/xss`` is a mail of its own. Each is opened as its document and in the
page, by a server as it is, and by servers from which walls were taken. Chromium tells of every
script, request, way and dialog there was, and a host that stands for all others listens.
"""

from __future__ import annotations

import json
from email.message import EmailMessage
from smtplib import SMTP
from typing import Any
from urllib.parse import quote

from twisted.trial.unittest import SynchronousTestCase

from tests.live.browser import ATTACKS, Beacon, serve
from tests.live.daemon import PATIENCE, ROOT, Daemon, environment, twistd
from tests.live.devtools import Chromium, Sight

BATCH = 22
"""Windows open at once; each stays open while the others of its batch load, so what runs late
shows."""

FRAMES = 20
"""Frames a batch is watched for after its last document was loaded."""

FRAMES_IN_PAGE = 3
"""Frames each mail in the page is watched for. What comes later shows with the next."""

HTML = "text/html"

SUBJECT = "quiet</title><script>document.title=666</script>"
"""Of every mail, so the title of every document. A script that ran has changed it."""

FRAMES_GO_BY = """
new Promise((done) => {
  let left = %d;
  (function frame() { left-- ? requestAnimationFrame(frame) : done() })();
})
"""

UNTIL = """
new Promise((done) => (function look() {
  let found = null;
  try { found = (() => { %s })(); } catch (error) {}
  found ? done(found) : requestAnimationFrame(look);
})())
"""

NOTE_LOADS = """
window.loaded = new WeakSet();
document.addEventListener("load", (event) => window.loaded.add(event.target), true);
"""

ADDRESS = """
return document.getElementById("state").dataset.state === "live" &&
  document.getElementById("address").textContent;
"""

IDS = """
const rows = [...document.querySelectorAll("#list a.row")];
return rows.length === %d && rows.map((row) => decodeURIComponent(row.hash.slice(6))).reverse();
"""

SHOWN = """
const id = %s;
location.hash = "#mail=" + encodeURIComponent(id);
const ending = document.querySelector("#message .ending a");
if (!ending.href.includes(`/messages/${id}/`)) return null;
const frame = document.querySelector("#message iframe");
return frame ? window.loaded.has(frame) && frame.src : "nothing";
"""
"""Opens a mail; the address of its HTML once this was loaded."""


def html_of(number: int) -> str:
    """An attack that asks a host of its own, and opens a dialog if it runs."""
    html = ATTACKS[number]["html"].replace("beacon.invalid", f"attack{number}.example")
    return html.replace("document.title=666", "alert(document.title=666)")


def mail_of(number: int, recipient: str) -> bytes:
    """The attack as a mail."""
    message = EmailMessage()
    message["From"] = '"<img src=x onerror=document.title=666>" <sender@example.org>'
    message["To"] = recipient
    message["Subject"] = SUBJECT
    charset = "utf-7" if "utf-7" in ATTACKS[number]["name"] else "utf-8"
    message.set_content(
        html_of(number).encode("utf-8", "surrogatepass"),
        maintype="text",
        subtype="html",
        cte="base64",
        params={"charset": charset},
    )
    return message.as_bytes()


class XssMailTestCase(SynchronousTestCase):
    """A server, the host of the attackers, and a browser.

    The server reads mail by functions of ``package``, None for its own. ``numbers`` are those of
    the attacks, ``framed`` counts what the page had a frame for.
    """

    package: str | None = None
    numbers = range(len(ATTACKS))
    framed = 0

    def setUp(self) -> None:
        """Start all of them."""
        self.beacon = Beacon()
        self.addCleanup(serve(self.beacon))
        self.daemon = self.server().start()
        self.addCleanup(self.daemon.stop)
        self.base = f"http://127.0.0.1:{self.daemon.http}/"
        self.browser = Chromium(self.beacon.server_address[1])
        self.addCleanup(self.browser.close)
        self.home = self.browser.open()

    def server(self) -> Daemon:
        """The server, not started."""
        if self.package is None:
            return Daemon()
        local = "tcp:0:interface=127.0.0.1"
        return Daemon(
            command=twistd("-n", "--pidfile=", "-y", str(ROOT / "tests/live/other_content.py")),
            env=environment(
                TEMPMAIL_OPTIONS=f"--smtp {local} --http {local}", CONTENT_PACKAGE=self.package
            ),
        )

    def send(self, address: str) -> None:
        """Every attack, in order."""
        with SMTP("127.0.0.1", self.daemon.smtp, timeout=PATIENCE) as client:
            for number in self.numbers:
                client.sendmail("sender@example.org", [address], mail_of(number, address))

    def listed(self, address: str, token: str) -> list[dict[str, Any]]:
        """All mails of the mailbox, in order."""
        found: list[dict[str, Any]] = []
        path = f"/v1/mailboxes/{quote(address)}/messages?limit=100&after="
        cursor = 0
        while len(found) < len(self.numbers):
            status, page = self.daemon.ask("GET", f"{path}{cursor}", token)
            self.assertEqual((status, bool(page["messages"])), (200, True))
            found += page["messages"]
            cursor = page["cursor"]
        return found

    def title(self, sight: Sight) -> str:
        """What a document is called now."""
        return str(self.browser.run(sight, "document.title"))

    def told(self) -> list[str]:
        """What was asked of other hosts, and every dialog, since last told."""
        told = [f"beacon heard {said[:200]!r}" for said in self.beacon.heard]
        told += [f"dialog {text}" for text in self.browser.dialogs]
        self.beacon.heard.clear()
        self.browser.dialogs.clear()
        return told

    # --- as a document ---

    def open_documents(self) -> list[str]:
        """Open every mail's document; all that happened and should not."""
        address, token = self.daemon.mint()
        self.send(address)
        place = f"{self.base}v1/mailboxes/{quote(address)}/messages/"
        urls = [f"{place}{m['id']}/html?access_token={token}" for m in self.listed(address, token)]
        happened: list[str] = []
        tabs = [self.browser.open() for _ in range(BATCH)]
        known = set(self.browser.sights.values())
        for start in range(0, len(urls), BATCH):
            self.browser.asked.clear()
            shown = list(zip(range(start, len(urls)), tabs, strict=False))
            for at, tab in shown:
                self.browser.visit(tab, urls[at])
            self.browser.until_loaded([tab for _, tab in shown])
            self.browser.run(self.home, FRAMES_GO_BY % FRAMES)
            for at, tab in shown:
                name = ATTACKS[self.numbers[at]]["name"]
                happened += [f"{name}: {did}" for did in self.did(tab, urls[at])]
            happened += self.told()
        others = [sight for sight in self.browser.sights.values() if sight not in known]
        return happened + [f"opened another {sight.kind}" for sight in others]

    def did(self, sight: Sight, url: str) -> list[str]:
        """What a mail's document did that it should not."""
        found = [f"went to {went}" for went in sight.urls if went != url]
        asked = [to for (by, _), (_, to) in self.browser.asked.items() if by == sight.session]
        found += [f"asked for {to}" for to in asked if to != url and not to.startswith("data:")]
        # Where no HTML is left there is a problem in JSON instead, whose title is none of ours.
        kind, title = self.browser.run(sight, "[document.contentType, document.title]")
        shown = (kind, title) in ((HTML, SUBJECT), ("application/problem+json", ""))
        return found if shown else [*found, f"title {title!r} of {kind}"]

    # --- in the page ---

    def open_in_page(self) -> list[str]:
        """Open every mail in the page, one after another; all that happened and should not."""
        page = self.home
        self.browser.visit(page, self.base)
        self.browser.until_loaded([page])
        self.browser.run(page, NOTE_LOADS)
        address = self.browser.run(page, UNTIL % ADDRESS)
        self.send(address)
        ids = self.browser.run(page, UNTIL % IDS % len(self.numbers))
        known = {sight for sight in self.browser.sights.values() if sight.kind == "page"}
        happened: list[str] = []
        for number, id_ in zip(self.numbers, ids, strict=True):
            self.browser.asked.clear()
            url = self.browser.run(page, UNTIL % SHOWN % json.dumps(id_))
            self.browser.run(page, FRAMES_GO_BY % FRAMES_IN_PAGE)
            did = self.did_in_page(page, url) + self.told()
            happened += [f"{ATTACKS[number]['name']}: {one}" for one in did]
        self.assertGreater(self.framed, len(ids) // 2)
        sights = self.browser.sights.values()
        others = [s.urls for s in sights if s.kind == "page" and s not in known]
        return happened + [f"opened {urls}" for urls in others]

    def did_in_page(self, page: Sight, url: str) -> list[str]:
        """What a mail in the page did that it should not."""
        found = [] if page.urls[0] == self.base and len(page.urls) == 1 else [f"went {page.urls}"]
        title = self.browser.run(page, "document.title")
        found += [f"title {title!r}"] if "666" in title or "@" not in title else []
        for (by, _), (frame, to) in self.browser.asked.items():
            own = by == page.session and (
                to.startswith(f"{self.base}v1/") if frame == page.target else to == url
            )
            found += [] if own or to.startswith("data:") else [f"asked for {to}"]
        if url == "nothing":
            return found
        self.framed += 1
        frames = [s for s in self.browser.sights.values() if s.parent == page.session]
        if len(frames) != 1:
            return [*found, f"is in {len(frames)} frames"]
        kind, title = self.browser.run(frames[0], "[document.contentType, document.title]")
        found += [f"went to {went}" for went in frames[0].urls if went != url]
        return found if (kind, title) == (HTML, SUBJECT) else [*found, f"title {title!r} of {kind}"]


class AsItIsTests(XssMailTestCase):
    """The server as it is."""

    def test_document(self) -> None:
        """No mail's document runs a script, asks anybody, goes anywhere or opens a dialog."""
        self.assertEqual(self.open_documents(), [])

    def test_page(self) -> None:
        """Nor does it in the page."""
        self.assertEqual(self.open_in_page(), [])


class UnfilteredTests(XssMailTestCase):
    """The filter of elements and attributes lets everything through."""

    package = "tests.live.unfiltered"

    def test_document(self) -> None:
        """No mail's document runs a script, asks anybody, goes anywhere or opens a dialog."""
        self.assertEqual(self.open_documents(), [])


class UncleanedTests(XssMailTestCase):
    """Nobody touches the HTML: the document's own wall alone holds."""

    package = "tests.live.uncleaned"

    def test_document(self) -> None:
        """No mail's document runs a script, asks anybody, goes anywhere or opens a dialog."""
        self.assertEqual(self.open_documents(), [])

    def test_page(self) -> None:
        """Nor does it in the page."""
        self.assertEqual(self.open_in_page(), [])


class BareTests(XssMailTestCase):
    """The document has no wall either."""

    package = "tests.live.bare"
    numbers = range(0, len(ATTACKS), 3)

    def test_document(self) -> None:
        """Then the attacks work, and this test sees them."""
        happened = self.open_documents()
        for kind in ("title '666'", "dialog", "asked for http://a", "heard b'GET", "went to"):
            self.assertGreater(sum(kind in one for one in happened), 0, kind)

    def test_page(self) -> None:
        """Then only the page's frame is left, which runs no script but has pictures fetched."""
        happened = self.open_in_page()
        for kind in ("asked for http://a", "heard b'GET"):
            self.assertGreater(sum(kind in one for one in happened), 0, kind)
        self.assertEqual(
            [one for one in happened if ": title '666'" in one or ": dialog " in one], []
        )
