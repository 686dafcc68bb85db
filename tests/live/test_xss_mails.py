"""Hostile mail all the way: sent by SMTP, opened from the real server in a real browser.

Every attack of ``tests/corpus/xss`` is a mail of its own. Each is opened as its document and in the
page, by a server as it is, and by servers from which walls were taken. Chromium tells of every
script, request, way and dialog there was, and a host that stands for all others listens.
"""

from __future__ import annotations

from collections.abc import Sequence
from email.message import EmailMessage
from smtplib import SMTP
from typing import Any
from urllib.parse import quote, unquote, urljoin

from attrs import frozen
from playwright.sync_api import Frame, Page, expect

from tests.live.chromium import other_hosts
from tests.live.daemon import PATIENCE, ROOT, Daemon, environment, twistd
from tests.live.letters import letter
from tests.live.stories.story import Story, Visitor
from tests.live.watched import ATTACKS, Seen, Watched, attack

READERS = 4
"""How many read in the page at a time."""

FRAMES_IN_PAGE = 3
"""Frames each mail in the page is watched for. What comes later shows with the next."""

HTML = "text/html"

SUBJECT = "quiet {}</title><script>document.title=666</script>"
"""Of every mail, by number, so the title of every document. A script that ran has changed it."""

PICTURES = """
<img src=http://a.example/picture.png><img src=http://a.example/pixel.png width=1 height=1>
<script src=http://a.example/script></script><iframe src=http://a.example/frame></iframe>
<p style='background:url(http://a.example/background.png)'>x</p>
<style>@import 'http://a.example/sheet'; p{cursor:url(http://a.example/cursor.png)}</style>
"""
"""What other hosts could be asked for."""

LOADED = """(part) => {
  const { src, contentDocument } = document.querySelector("iframe[title=Message]");
  return src.includes(part) && contentDocument.URL !== "about:blank" &&
    contentDocument.readyState === "complete";
}"""
"""Whether the frame has loaded what it should show, or whatever took its place."""


def mail_of(number: int, recipient: str) -> bytes:
    """The attack as a mail."""
    message = EmailMessage()
    message["From"] = '"<img src=x onerror=document.title=666>" <sender@example.org>'
    message["To"] = recipient
    message["Subject"] = SUBJECT.format(number)
    charset = "utf-7" if "utf-7" in ATTACKS[number]["name"] else "utf-8"
    message.set_content(
        attack(number).encode("utf-8", "surrogatepass"),
        maintype="text",
        subtype="html",
        cte="base64",
        params={"charset": charset},
    )
    return message.as_bytes()


@frozen
class Reader:
    """Somebody who reads attacks in the page; ``links`` lead to those of ``numbers``."""

    visitor: Visitor
    numbers: Sequence[int]
    links: Sequence[str]

    @property
    def page(self) -> Page:
        """What they see."""
        return self.visitor.page

    def begin(self, turn: int) -> None:
        """Begin to open a mail."""
        self.page.evaluate("(link) => { location.hash = link }", self.links[turn])

    def frame(self, turn: int) -> Frame | None:
        """The frame with its HTML, loaded, or None where there is no HTML left."""
        message = self.visitor.message
        subject = SUBJECT.format(self.numbers[turn])
        expect(message.get_by_role("heading", level=2)).to_have_text(subject)
        tab = message.get_by_role("tab").first
        expect(tab).to_be_visible()
        if tab.inner_text() != "HTML":
            return None
        id_ = unquote(self.links[turn].rpartition("/")[2])
        self.page.wait_for_function(LOADED, arg=f"/messages/{quote(id_)}/")
        return self.page.frames[1]


class XssMailTestCase(Story):
    """A server, the host of the attackers, and a browser.

    The server reads mail by functions of ``package``, None for its own. ``numbers`` are those of
    the attacks.
    """

    package: str | None = None
    numbers = range(len(ATTACKS))

    def setUp(self) -> None:
        """Start the server; have the browser."""
        self.daemon = self.server().start()
        self.addCleanup(self.daemon.stop)
        self.watched = Watched(self.new_context)
        other_hosts().heard.clear()

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

    def send_all(self, address: str, numbers: Sequence[int]) -> None:
        """These attacks, in order."""
        with SMTP("127.0.0.1", self.daemon.smtp, timeout=PATIENCE) as client:
            for number in numbers:
                client.sendmail("sender@example.org", [address], mail_of(number, address))

    def listed(self, address: str, token: str) -> list[dict[str, Any]]:
        """All mails of the mailbox, in order."""
        path = f"/v1/mailboxes/{quote(address)}/messages?limit=500"
        status, page = self.daemon.ask("GET", path, token)
        self.assertEqual((status, len(page["messages"])), (200, len(self.numbers)))
        return list(page["messages"])

    # --- as a document ---

    def open_documents(self) -> list[str]:
        """Open every mail's document; all that happened and should not."""
        address, token = self.daemon.mint()
        self.send_all(address, self.numbers)
        place = self.url(f"/v1/mailboxes/{quote(address)}/messages/")
        mails = self.listed(address, token)
        urls = [f"{place}{mail['id']}/html?access_token={token}" for mail in mails]
        happened = []
        for number, url, seen in zip(self.numbers, urls, self.watched.visit(urls), strict=True):
            did = self.did(seen, url, SUBJECT.format(number))
            happened += [f"{ATTACKS[number]['name']}: {one}" for one in did]
        return happened + self.watched.told()

    def did(self, seen: Seen, url: str, subject: str) -> list[str]:
        """What a mail's document did that it should not."""
        found = [f"went to {went}" for went in seen.went if went != url]
        found += [f"asked for {to}" for _, to in seen.asked if to != url]
        # Where no HTML is left there is a problem in JSON instead, whose title is none of ours.
        shown = (seen.kind, seen.title)
        fine = shown in ((HTML, subject), ("application/problem+json", ""))
        return found if fine else [*found, f"title {seen.title!r} of {seen.kind}"]

    # --- in the page ---

    def open_in_page(self) -> list[str]:
        """Open every mail in the page, one after another; all that happened and should not.

        Several readers share the work, and none knows of the others.
        """
        readers = [self.reader(self.numbers[part::READERS]) for part in range(READERS)]
        happened: list[str] = []
        framed = 0
        for turn in range(len(readers[0].links)):
            busy = [reader for reader in readers if turn < len(reader.links)]
            for reader in busy:
                reader.begin(turn)
            frames = [reader.frame(turn) for reader in busy]
            self.watched.watch(FRAMES_IN_PAGE)
            for reader, frame in zip(busy, frames, strict=True):
                number = reader.numbers[turn]
                did = self.did_in_page(reader.page, frame, SUBJECT.format(number))
                happened += [f"{ATTACKS[number]['name']}: {one}" for one in did]
            framed += sum(frame is not None for frame in frames)
        self.assertGreater(framed, len(self.numbers) // 2)
        return happened + self.watched.told()

    def reader(self, numbers: Sequence[int]) -> Reader:
        """Somebody who got these attacks."""
        visitor = Visitor(self, self.watched.tab_apart(), self.url()).open()
        self.send_all(visitor.address, numbers)
        expect(visitor.mails).to_have_count(len(numbers))
        links = visitor.mails.evaluate_all("(links) => links.map((link) => link.hash)")
        self.watched.look(visitor.page)
        return Reader(visitor, numbers, links[::-1])

    def did_in_page(self, page: Page, frame: Frame | None, subject: str) -> list[str]:
        """What a mail in the page did that it should not."""
        seen = self.watched.look(page)
        found = [f"title {seen.title!r}"] if seen.title == "666" else []
        found += [f"went to {went}" for went in seen.went if went.split("#")[0] != self.url()]
        for by, to in seen.asked:
            own = to == by.url if by == frame and by else to.startswith(self.url())
            found += [] if own else [f"asked for {to}"]
        if page.frames != [page.main_frame, *([frame] if frame else [])]:
            found.append(f"has the frames {page.frames}")
        if frame is not None:
            kind, title = frame.evaluate("[document.contentType, document.title]")
            found += [] if (kind, title) == (HTML, subject) else [f"title {title!r} of {kind}"]
            src = page.locator("iframe").get_attribute("src")
            found += [] if frame.url == urljoin(page.url, src) else [f"frame went to {frame.url}"]
        return found


class AsItIsTests(XssMailTestCase):
    """The server as it is."""

    def test_document(self) -> None:
        """No mail's document runs a script, asks anybody, goes anywhere or opens a dialog."""
        self.assertEqual(self.open_documents(), [])

    def test_page(self) -> None:
        """Nor does it in the page."""
        self.assertEqual(self.open_in_page(), [])

    def test_remote_pictures(self) -> None:
        """When asked for, remote pictures load and nothing else does."""
        address, token = self.daemon.mint()
        self.send(letter(address, html=PICTURES))
        (mail,) = self.daemon.ask("GET", f"/v1/mailboxes/{address}/messages", token)[1]["messages"]
        url = self.url(f"/v1/mailboxes/{address}/messages/{mail['id']}/html?access_token={token}")
        self.watched.visit([url])
        self.assertEqual(self.watched.told(), [])
        self.watched.visit([f"{url}&images=remote"])
        heard = [said.decode() for said in other_hosts().heard]
        self.assertEqual({head.split()[1] for head in heard}, {"/picture.png", "/background.png"})
        self.assertNotIn("Referer", "".join(heard))


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


class UnguardedTests(XssMailTestCase):
    """The document has no policy: what cleaned it stands alone."""

    package = "tests.live.unguarded"

    def test_document(self) -> None:
        """No mail's document runs a script, asks anybody, goes anywhere or opens a dialog."""
        self.assertEqual(self.open_documents(), [])


class BareTests(XssMailTestCase):
    """The document has no wall either."""

    package = "tests.live.bare"
    numbers = range(0, len(ATTACKS), 3)

    def test_document(self) -> None:
        """Then the attacks work, and this test sees them."""
        happened = self.open_documents()
        for kind in ("title '666'", "dialog", "asked for http://a", "heard b'GET"):
            self.assertGreater(sum(kind in one for one in happened), 10, kind)
        self.assertGreater(sum("went to" in one for one in happened), 0)

    def test_page(self) -> None:
        """Then only the page's frame is left, which runs no script but has pictures fetched."""
        happened = self.open_in_page()
        for kind in ("asked for http://a", "heard b'GET"):
            self.assertGreater(sum(kind in one for one in happened), 0, kind)
        self.assertEqual(
            [one for one in happened if ": title '666'" in one or ": dialog " in one], []
        )
