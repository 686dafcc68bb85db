"""Everything that is asked once."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tempmail.client import Client, NotFound
from tests.client.case import Case
from tests.client.fake import ADDRESS, TOKEN


class UseTests(Case):
    """Everything that is asked once."""

    def test_mint(self) -> None:
        """Minting sends what was given and nothing else, and the handle opens the mailbox."""
        box = self.done(self.client.mint(local_part="abc", lifetime=60))
        self.assertEqual(self.server.seen[-1][4], {"local_part": "abc", "lifetime": 60})
        self.assertEqual((box.address, box.token), ("abc@mail.test", TOKEN))
        state = self.done(box.state())
        self.assertEqual(str(state.created_at), "2030-01-01 00:00:00.250000+00:00")
        self.assertEqual(self.server.seen[-1][3], TOKEN)

    def test_domains(self) -> None:
        """What the server does not say is None, and what we do not know is passed over."""
        found = self.done(self.client.domains())
        self.assertEqual([each.domain for each in found.domains], ["mail.test"])
        self.assertEqual((found.max_lifetime, found.default_lifetime), (86400, None))

    def test_read(self) -> None:
        """A whole message has its summary, headers, candidates; members of later versions stay."""
        message = self.done(self.box.read(self.server.deliver(code="4711")))
        self.assertEqual((message.id, message.subject), ("m1", "mail 1"))
        self.assertEqual(message.summary.sender.address, "shop@example.org")
        self.assertEqual(message.headers[0], ("Subject", "mail 1"))
        self.assertEqual((message.codes[0].value, message.links[0].kind), ("123456", "action"))
        self.assertEqual(message.document["weight"], {"a member": "of a later version"})

    def test_octets(self) -> None:
        """Raw mail and attachments are the octets of the answer, unchanged."""
        self.server.deliver()
        self.assertEqual(self.done(self.box.raw("m1")), b"\x1b[2Jraw\x00")
        self.assertEqual(self.done(self.box.attachment("m1", 2)), b"\x1b[2Jattachments/2\x00")

    def test_list(self) -> None:
        """A page goes on where the last one ended, and the list ends with an empty one."""
        for _ in range(3):
            self.server.deliver()
        first = self.done(self.box.list(limit=2))
        second = self.done(self.box.list(after=first.cursor or "", limit=2))
        last = self.done(self.box.list(after=second.cursor or "", limit=2))
        found = [[each.id for each in page.messages] for page in (first, second, last)]
        self.assertEqual(found, [["m1", "m2"], ["m3"], []])

    def test_filters_survive_the_query(self) -> None:
        """Filters arrive as they were given, whatever characters they have."""
        self.done(self.box.list(sender="a+b&c=d", subject="50% é #1?"))
        query = self.server.seen[-1][2]
        self.assertEqual((query["from"], query["subject"]), ("a+b&c=d", "50% é #1?"))

    def test_delete(self) -> None:
        """One message, all messages, the mailbox: each removes what it says."""
        self.server.deliver()
        self.server.deliver()
        box = self.server.boxes[ADDRESS]
        self.done(self.box.delete_message("m1"))
        self.assertEqual([each["id"] for each in box.mail], ["m2"])
        self.done(self.box.empty())
        self.assertEqual(box.mail, [])
        self.done(self.box.delete())
        self.assertNotIn(ADDRESS, self.server.boxes)

    def test_no_id_is_another_path(self) -> None:
        """An empty id, or a dot segment, would name something larger, so it is never sent."""
        for message_id in ("", ".", ".."):
            error = self.fails(self.box.raw(message_id), ValueError)
            self.assertIn(repr(message_id), str(error))
            self.fails(self.box.delete_message(message_id), ValueError)
        self.assertEqual(self.server.seen, [])

    def test_rotate_token(self) -> None:
        """After rotation the handle uses the new token."""
        self.assertEqual(self.done(self.box.rotate_token()), "tok-new")
        self.done(self.box.state())
        self.assertEqual(self.server.seen[-1][3], "tok-new")

    def test_extend(self) -> None:
        """Extending returns the new state."""
        mailbox = self.done(self.box.extend(3600))
        self.assertEqual(self.server.seen[-1][4], {"lifetime": 3600})
        self.assertEqual(str(mailbox.expires_at), "2030-01-01 01:00:00+00:00")

    def test_attempts(self) -> None:
        """Refused mail is told as values; one without a reply is one whose sender left."""
        refused = {"at": "2030-01-01T00:00:05Z", "mail_from": "a@b.test", "helo": "mx.b.test"}
        self.server.boxes[ADDRESS].attempts = [
            {**refused, "stage": "rcpt", "reply": "552 5.2.2 Mailbox full"},
            {**refused, "stage": "data", "reply": None},
        ]
        full, cut = self.done(self.box.attempts())
        self.assertEqual((full.mail_from, full.stage), ("a@b.test", "rcpt"))
        self.assertEqual(full.reply, "552 5.2.2 Mailbox full")
        self.assertEqual(str(full.at), "2030-01-01 00:00:05+00:00")
        self.assertIsNone(cut.reply)

    def test_restore(self) -> None:
        """Restoring sends the key, without a token, and returns a handle with the new token."""
        box = self.done(self.client.restore("old@mail.test", "key"))
        self.assertEqual(self.server.seen[-1][3:], ("", {"restore_key": "key"}))
        self.assertEqual((box.address, box.token), ("old@mail.test", TOKEN))

    def test_no_name_for_it(self) -> None:
        """What this client has no name for can be asked for by its path."""
        path = self.box.path()
        found = self.done(self.client.ask("GET", path, token=TOKEN))
        self.assertEqual(found["colour"], "a member of a later version")
        octets = self.done(self.client.fetch("GET", path, token=TOKEN))
        self.assertEqual(json.loads(octets), found)

    def test_base_path(self) -> None:
        """A server may live below a path; a slash at its end makes no difference."""
        for base in ("https://mail.test/a/b", "https://mail.test/a/b/"):
            self.done(self.connect(base).domains())
            self.assertEqual(self.server.seen[-1][1], ["a", "b", "v1", "domains"])

    def test_refused_urls(self) -> None:
        """What can not be a base URL is refused at once, and a password in it is not repeated."""
        for url in ("", "mail.test", "ftp://mail.test", "http://", "http://h:x/", "http://h/?a"):
            self.assertRaises(ValueError, self.connect, url)
        error = self.assertRaises(ValueError, self.connect, "http://me:hunter2@mail.test")
        self.assertNotIn("hunter2", str(error))

    def test_secrets_are_not_shown(self) -> None:
        """Neither a token nor a restore key is in what a log or a traceback would print."""
        box = self.done(self.client.mint(local_part="new"))
        document = box.mailbox.document if box.mailbox else {}
        self.assertIn("address", document)
        shown = repr((box, box.mailbox, document, vars(self.client)))
        for secret in (TOKEN, "restore-secret"):
            self.assertNotIn(secret, shown)
        error = self.assertRaises(ValueError, self.client.box, ADDRESS, "bad token")
        self.assertNotIn("bad token", str(error))

    @settings(max_examples=50, deadline=None)
    @given(st.text(min_size=1).map(lambda local: local + "@mail.test"), st.text(min_size=1))
    def test_encoded_once(self, address: str, message_id: str) -> None:
        """Whatever is in an address or an id arrives as it is, in one path segment."""
        if message_id in (".", ".."):
            return
        client = Client("http://mail.test", self.network, self.clock)
        try:
            self.fails(client.box(address, "t").read(message_id), NotFound)
        except UnicodeEncodeError:  # a lone surrogate has no octets
            return
        self.assertEqual(
            self.server.seen[-1][1], ["v1", "mailboxes", address, "messages", message_id]
        )
