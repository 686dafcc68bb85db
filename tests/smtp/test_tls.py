"""STARTTLS, and TLS from the beginning, over real sockets."""

from __future__ import annotations

from twisted.internet.endpoints import serverFromString
from twisted.internet.error import ConnectionDone
from twisted.internet.ssl import CertificateOptions
from twisted.internet.task import Clock
from twisted.protocols.tls import TLSMemoryBIOFactory

from tempmail.certificates import self_signed
from tempmail.core.limits import Limits
from tempmail.smtp import replies
from tempmail.tls import ServerTLS
from tests.smtp.sockets import Listening, Talker, reactor, until
from tests.smtp.support import DATA, MAIL, START, ReceiverTestCase

RCPT = b"RCPT TO:<bob@qa.test>\r\n"
BODY = b"Subject: x\r\n\r\nx\r\n.\r\n"


class StartTLSTests(Listening):
    """STARTTLS (RFC 3207)."""

    tls = True

    async def secured(self) -> Talker:
        talker = await self.greeted()
        await talker.start_tls()
        return talker

    def assert_clean(self, talker: Talker) -> None:
        """TLS was ended as it should be, so the client knows that it heard everything."""
        assert talker.reason is not None
        self.assertIsNotNone(talker.reason.check(ConnectionDone), talker.reason)

    async def test_offered(self) -> None:
        """It is offered in plain text and no more under TLS."""
        talker = await self.talk()
        await talker.answer()
        talker.send(b"EHLO x\r\n")
        self.assertIn(b"250-STARTTLS\r\n", await talker.answer())
        await talker.start_tls()
        talker.send(b"EHLO x\r\n")
        said = await talker.answer()
        self.assertIn(b"250-SMTPUTF8\r\n", said)
        self.assertNotIn(b"STARTTLS", said)

    async def test_mail(self) -> None:
        """A mail under TLS is kept with that, and with the protocol's name for it."""
        for hello, mail, protocol in (
            (b"EHLO x\r\n", b"MAIL FROM:<>\r\n", "ESMTPS"),
            (b"HELO x\r\n", b"MAIL FROM:<>\r\n", "SMTPS"),
            (b"EHLO x\r\n", b"MAIL FROM:<> SMTPUTF8\r\n", "UTF8SMTPS"),
        ):
            talker = await self.secured()
            self.assertEqual(
                await talker.say(hello + mail + RCPT + b"DATA\r\n", 4), [250, 250, 250, 354]
            )
            self.assertEqual(await talker.say(BODY), [250])
            envelope = (await self.mails())[-1].parcel.envelope
            self.assertEqual((envelope.tls, envelope.protocol), (True, protocol))

    async def test_large_mail(self) -> None:
        """A mail of many segments comes through as it is."""
        talker = await self.secured()
        await talker.say(b"EHLO x\r\n" + MAIL + RCPT + b"DATA\r\n", 4)
        mail = b"x" * 998 + b"\r\n"
        self.assertEqual(await talker.say(mail * 2000 + b".\r\n"), [250])
        self.assertEqual((await self.mails())[0].parcel.octets, mail * 2000)

    async def test_plain_text_behind(self) -> None:
        """What was sent in plain text behind STARTTLS is not run under TLS (CVE-2011-0411)."""
        talker = await self.greeted()
        await talker.start_tls(behind=MAIL + RCPT + b"RSET\r\n")
        self.assertEqual(await talker.say(b"VRFY x\r\n"), [252])
        self.assertEqual(await talker.say(b"EHLO x\r\n"), [250])

    async def test_half_a_line_behind(self) -> None:
        """Nor is half a line put before the first one under TLS."""
        talker = await self.greeted()
        await talker.start_tls(behind=b"EHLO evil.example.org ")
        self.assertEqual(await talker.say(b"VRFY x\r\n"), [252])

    async def test_everything_is_forgotten(self) -> None:
        """Name and envelope from before do not hold under TLS (RFC 3207 section 4.2)."""
        talker = await self.greeted()
        await talker.say(MAIL + RCPT, 2)
        await talker.start_tls()
        self.assertEqual(await talker.say(b"DATA\r\n" + RCPT + MAIL, 3), [503, 503, 503])

    async def test_twice(self) -> None:
        """Under TLS it is refused, and with an argument it always is."""
        talker = await self.greeted()
        talker.send(b"STARTTLS now\r\n")
        self.assertEqual(await talker.answer(), replies.NO_ARGUMENT)
        await talker.start_tls()
        talker.send(b"STARTTLS\r\n")
        self.assertEqual(await talker.answer(), replies.TLS_ALREADY)

    async def test_quit(self) -> None:
        """QUIT is answered under TLS, and the connection ends cleanly."""
        talker = await self.secured()
        talker.send(b"QUIT\r\n")
        self.assertEqual(await talker.rest(), replies.BYE)
        self.assert_clean(talker)

    async def test_last_words(self) -> None:
        """The reason of an end that the client does not expect reaches it under TLS, too."""
        talker = await self.secured()
        talker.send(b"x\r\n" * 20 + b"NOOP\r\n" * 100_000)
        said = await talker.rest()
        self.assertTrue(said.endswith(replies.TOO_MANY_ERRORS), said[-99:])
        self.assert_clean(talker)

    async def test_closing(self) -> None:
        """The end of the server is told under TLS."""
        talker = await self.secured()
        await talker.say(b"EHLO x\r\n")
        closed = self.factory.close(5.0)
        self.assertEqual(await talker.rest(), replies.SHUTTING_DOWN)
        await closed

    async def test_closing_in_a_handshake(self) -> None:
        """A handshake that is not done does not keep the server from closing."""
        talker = await self.greeted()
        await talker.say(b"STARTTLS\r\n")
        await self.factory.close(5.0)
        await talker.rest()

    async def test_no_handshake(self) -> None:
        """What is no handshake ends the connection, and is not worth a line in the log."""
        talker = await self.greeted()
        await talker.say(b"STARTTLS\r\n")
        talker.send(b"EHLO x\r\n" + MAIL)
        await talker.rest()
        await until(lambda: not self.factory.connections)

    async def test_peer_that_never_reads(self) -> None:
        """Under TLS, too, a peer that takes no answers is not read from until it does."""
        self.office.limits = self.limits.without_client_limits()
        talker = await self.secured()
        await talker.say(b"NOOP\r\n")
        wire = self.session().wire
        talker.transport.pauseProducing()

        def stuffed() -> bool:
            talker.send(b"EHLO x\r\n" * 2000)
            return wire._clogged

        await until(stuffed)
        talker.transport.resumeProducing()
        await until(lambda: not wire._clogged)
        talker.send(b"QUIT\r\n")
        self.assertEqual((await talker.rest())[-len(replies.BYE) :], replies.BYE)


class HandshakeTests(Listening):
    """How long a handshake may take."""

    tls = True

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(START)
        super().setUp()

    async def test_timeout(self) -> None:
        """A handshake that is not done in time is cut off."""
        talker = await self.greeted()
        await talker.say(b"STARTTLS\r\n")
        self.clock.advance(self.limits.tls_handshake_timeout - 1)
        talker.send(b"\x16\x03")
        self.assertEqual(self.factory.connections, 1)
        self.clock.advance(2)
        await talker.rest()
        self.assertIsNotNone(talker.reason)

    async def test_timeout_from_the_start(self) -> None:
        """So is one with which a connection begins."""
        tls = ServerTLS([self_signed(["mx.test"])])
        wrapped = TLSMemoryBIOFactory(tls, False, self.factory)
        self.listen(reactor.listenTCP(0, wrapped, interface="127.0.0.1"))
        talker = await self.talk()
        await until(lambda: self.factory.connections == 1)
        self.clock.advance(self.limits.tls_handshake_timeout + 2)
        self.assertEqual(await talker.rest(), b"")

    async def test_done(self) -> None:
        """One that is done is not, even if the client then says nothing for as long."""
        talker = await self.greeted()
        await talker.start_tls()
        await until(lambda: self.session().heard_at > 0)
        self.clock.advance(self.limits.tls_handshake_timeout + 1)
        self.assertEqual(await talker.say(b"NOOP\r\n"), [250])

    async def test_done_behind_a_proxy(self) -> None:
        """Where nobody tells us of the handshake, the first command does."""
        await self.listen_on("haproxy:tcp:0:interface=127.0.0.1")
        talker = await self.talk()
        talker.send(b"PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n")
        await talker.answer()
        await talker.say(b"EHLO x\r\n")
        await talker.start_tls()
        await talker.say(b"EHLO x\r\n")
        self.clock.advance(self.limits.tls_handshake_timeout + 1)
        self.assertEqual(await talker.say(MAIL + RCPT + DATA, 3), [250, 250, 354])
        self.assertEqual(await talker.say(BODY), [250])
        envelope = (await self.mails())[0].parcel.envelope
        self.assertEqual((envelope.peer, envelope.protocol), ("192.0.2.7", "ESMTPS"))


class ImplicitTests(Listening):
    """TLS from the first octet, as on port 465."""

    def setUp(self) -> None:
        super().setUp()
        tls = ServerTLS([self_signed(["localhost"])])
        wrapped = TLSMemoryBIOFactory(tls, False, self.factory)
        self.listen(reactor.listenTCP(0, wrapped, interface="127.0.0.1"))

    async def test_mail(self) -> None:
        """A session begins under TLS, offers no STARTTLS, and its mail is kept as such."""
        self.factory.tls = CertificateOptions()
        talker = await self.talk()
        talker.transport.startTLS(CertificateOptions())
        self.assertEqual((await talker.answer())[:4], b"220 ")
        talker.send(b"EHLO x\r\n")
        self.assertNotIn(b"STARTTLS", await talker.answer())
        await talker.say(MAIL + RCPT + DATA, 3)
        self.assertEqual(await talker.say(BODY), [250])
        self.assertEqual((await self.mails())[0].parcel.envelope.protocol, "ESMTPS")

    async def test_refused(self) -> None:
        """One connection too many is told so under TLS."""
        self.office.limits = Limits(max_connections=0)
        talker = await self.talk()
        talker.transport.startTLS(CertificateOptions())
        self.assertEqual(await talker.rest(), replies.TOO_MANY_CONNECTIONS)


class ProxiedTests(Listening):
    """TLS from the first octet behind a proxy that passes it on and says who comes."""

    async def setUp(self) -> None:  # type: ignore[override]
        super().setUp()
        wrapped = TLSMemoryBIOFactory(ServerTLS([self_signed(["mx.test"])]), False, self.factory)
        endpoint = serverFromString(reactor, "haproxy:tcp:0:interface=127.0.0.1")
        self.listen(await endpoint.listen(wrapped))

    async def test_mail(self) -> None:
        """The mail is kept with the client's address, not the proxy's, and as received by TLS."""
        talker = await self.talk()
        talker.send(b"PROXY TCP4 192.0.2.7 192.0.2.8 1 465\r\n")
        talker.transport.startTLS(CertificateOptions())
        self.assertEqual((await talker.answer())[:4], b"220 ")
        await talker.say(b"EHLO x\r\n" + MAIL + RCPT + DATA, 4)
        self.assertEqual(await talker.say(BODY), [250])
        envelope = (await self.mails())[0].parcel.envelope
        self.assertEqual(
            (envelope.peer, envelope.tls, envelope.protocol), ("192.0.2.7", True, "ESMTPS")
        )


class WithoutTests(ReceiverTestCase):
    """A connection that can do no TLS."""

    def test_not_offered(self) -> None:
        """Where the transport can not do TLS, STARTTLS is refused for now."""
        self.start(Limits(), tls=CertificateOptions())
        client = self.greeted()
        client.send(MAIL)
        self.assertEqual(client.send(b"STARTTLS\r\n"), replies.NO_TLS)
        self.assertEqual(client.send(RCPT), replies.RECIPIENT_OK)
