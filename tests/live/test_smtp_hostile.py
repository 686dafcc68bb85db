"""The SMTP receiver over real sockets: hostile clients, and the clients that people use."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import smtplib
import socket
import ssl
import struct
import weakref
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTPUTF8
from io import BytesIO
from typing import Any, TypeVar

import aiosmtplib
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import TCP6ClientEndpoint, UNIXClientEndpoint
from twisted.internet.error import ConnectionDone
from twisted.internet.ssl import CertificateOptions
from twisted.internet.threads import deferToThread
from twisted.internet.utils import getProcessOutputAndValue
from twisted.mail.smtp import ESMTPSenderFactory, sendmail

from tempmail.core.limits import COMMAND_READ_OCTETS, MEGA, Limits
from tempmail.smtp import replies
from tests.smtp.sockets import Listening, Talker, reactor, turn, until
from tests.smtp.support import MAIL

RCPT = b"RCPT TO:<bob@qa.test>\r\n"
OPENED = MAIL + RCPT + b"DATA\r\n"
BODY = b"Subject: x\r\n\r\nx\r\n.\r\n"
SESSION = b"EHLO x\r\n" + OPENED + BODY + b"QUIT\r\n"
T = TypeVar("T")


def reset(connection: socket.socket) -> None:
    """Close with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class HostileTests(Listening):
    """Clients that mean no good, or do it badly."""

    async def in_thread(self, work: Callable[[], T]) -> T:
        """What a client does that blocks."""
        result: T = await deferToThread(work)
        return result

    def connected(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), 20)

    async def test_last_words_with_input_pending(self) -> None:
        """Who is cut off while it still sends can read why: no reset destroys the answer."""
        for nuisance in (
            b"x\r\n" * 20 + b"NOOP\r\n" * 300_000,
            b"GET / HTTP/1.1\r\n" + b"x" * MEGA,
        ):
            talker = await self.greeted()
            talker.transport.pauseProducing()
            talker.send(nuisance)
            # All of it was taken from us before we read a word.
            while talker.transport.dataBuffer or talker.transport._tempDataLen:
                await turn()
            talker.transport.resumeProducing()
            said = await talker.rest()
            self.assertIn(b"\r\n421 ", b"\r\n" + said)
            talker.transport.loseConnection()

    async def test_client_hangs_up_behind_the_last_words(self) -> None:
        """A client that hangs up when it is told to ends the session at once."""
        talker = await self.greeted()
        talker.send(b"GET / HTTP/1.1\r\n\r\n")
        self.assertEqual(await talker.rest(), replies.NO_SMTP)
        assert talker.reason is not None
        talker.reason.trap(ConnectionDone)
        await until(lambda: not self.factory.connections, 1.0)

    async def test_closing_with_a_mail_in_flight(self) -> None:
        """A client that still sends when the grace is over is told so, and can read it."""
        talker = await self.greeted()
        await talker.say(OPENED, 3)
        talker.send(b"x" * MEGA)
        closed = self.factory.close(0.2)
        while not talker.heard:
            if not talker.transport.dataBuffer:
                talker.send(b"x" * 100_000)
            await turn()
        self.assertEqual(talker.heard, replies.SHUTTING_DOWN)
        await closed

    async def test_closing_behind_a_mail(self) -> None:
        """A mail in flight is kept, its answer and the end are told."""
        talker = await self.greeted()
        await talker.say(OPENED, 3)
        closed = self.factory.close(5.0)
        talker.send(BODY)
        self.assertEqual(await talker.rest(), replies.KEPT + replies.SHUTTING_DOWN)
        await closed
        self.assertEqual(len(await self.mails()), 1)

    async def test_peer_that_never_reads(self) -> None:
        """Answers that nobody takes are bounded, and so is what is read."""
        self.office.limits = self.limits.without_client_limits()
        talker = await self.greeted()
        talker.transport.pauseProducing()
        session = self.session()

        def stuffed() -> bool:
            talker.send(b"EHLO x\r\n" * 2000)
            return session.wire._clogged

        await until(stuffed)
        for _ in range(100):
            talker.send(b"EHLO x\r\n" * 2000)
            await turn()
        transport = session.transport
        waiting = len(transport.dataBuffer) + transport._tempDataLen
        # The answers to one read may come on top: 20 octets of answer for one of a command.
        self.assertLess(waiting, 22 * COMMAND_READ_OCTETS)
        self.office.limits = Limits(idle_timeout=0.0)
        await until(lambda: not self.factory.connections)

    async def test_half_closed(self) -> None:
        """A client may send everything, close its side, and then read the answers."""

        def work() -> bytes:
            with self.connected() as connection:
                connection.sendall(SESSION[:-6])
                connection.shutdown(socket.SHUT_WR)
                return connection.makefile("rb").read()

        said = await self.in_thread(work)
        self.assertTrue(said.endswith(replies.GO_ON + replies.KEPT), said)
        self.assertEqual(len(await self.mails()), 1)

    async def test_half_closed_and_late(self) -> None:
        """The same where the answers are not there yet when it closes."""
        late: Deferred[None] = Deferred()
        check = self.office.check_recipient
        self.office.check_recipient = lambda *_: late  # type: ignore[method-assign]

        def work() -> bytes:
            with self.connected() as connection:
                connection.sendall(SESSION)
                connection.shutdown(socket.SHUT_WR)
                return connection.makefile("rb").read()

        done = deferToThread(work)
        await until(lambda: self.factory.connections == 1)
        await until(lambda: self.session()._heard_all)
        self.office.check_recipient = check  # type: ignore[method-assign]
        late.callback(None)
        said = await done
        self.assertTrue(said.endswith(replies.GO_ON + replies.KEPT + replies.BYE), said)

    async def test_resets(self) -> None:
        """A connection that is reset, wherever it stands, leaves nothing, and nothing is logged."""

        def work() -> None:
            for place in range(0, len(SESSION), 3):
                connection = self.connected()
                connection.sendall(SESSION[:place])
                reset(connection)

        await self.in_thread(work)
        await until(lambda: not self.factory.connections)
        self.assertEqual(self.office.reserved, 0)

    async def test_reset_while_an_answer_is_pending(self) -> None:
        """The same if we still owed it an answer; that comes to nothing."""
        late: Deferred[None] = Deferred()
        self.office.deliver = lambda *_: late  # type: ignore[method-assign]
        connection = self.connected()
        connection.sendall(SESSION)
        await until(lambda: self.factory.connections == 1 and self.session().busy)
        reset(connection)
        await until(lambda: not self.factory.connections)
        late.callback(None)

    async def test_ten_thousand_connections(self) -> None:
        """However many connections come and go, in whatever way, none is left."""

        def work() -> None:
            for number in range(10_000):
                connection = self.connected()
                if number % 3:
                    connection.send(b"QUIT\r\n")
                if number % 2:
                    reset(connection)
                connection.close()

        self.office.limits = self.limits.without_client_limits()
        await self.in_thread(work)
        await until(lambda: not self.factory.connections)
        self.assertEqual((self.factory._admitted, self.factory._held.counts), (0, {}))

    async def test_no_cycles(self) -> None:
        """A session that is gone is freed at once, not when garbage is next collected."""
        sessions = []
        for last in (b"QUIT\r\n", b"GET / HTTP/1.1\r\n", MAIL + RCPT + b"BDAT 3\r\nx"):
            talker = await self.greeted()
            await talker.say(OPENED, 3)
            await talker.say(BODY)
            sessions.append(weakref.ref(self.session()))
            gc.collect()
            gc.disable()
            self.addCleanup(gc.enable)
            talker.send(last)
            await turn()
            talker.transport.loseConnection()
            await until(lambda: not self.factory.connections)
            await turn()
        self.assertEqual([session() for session in sessions], [None] * 3)

    async def test_octet_by_octet(self) -> None:
        """A session of which every octet comes in its own segment goes as any other."""
        talker = await self.talk()
        talker.transport.setTcpNoDelay(True)
        for octet in SESSION:
            talker.send(bytes([octet]))
            await turn()
        self.assertTrue((await talker.rest()).endswith(replies.KEPT + replies.BYE))


class PlaceTests(Listening):
    """Where a receiver may listen."""

    limits = Limits(max_connections_per_client=2)

    async def mail_from(self, talker: Talker) -> str:
        """Send a mail; returns the peer it was kept with."""
        await talker.say(OPENED, 3)
        self.assertEqual(await talker.say(BODY), [250])
        return (await self.mails())[-1].parcel.envelope.peer

    async def test_unix(self) -> None:
        """A UNIX socket's peer has no address, and no limit of a client."""
        path = self.mktemp()
        await self.listen_on(f"unix:{path}")
        talkers = [await self.greeted(UNIXClientEndpoint(reactor, path)) for _ in range(5)]
        self.assertEqual(await self.mail_from(talkers[-1]), "")

    async def test_ipv6(self) -> None:
        """Over IPv6 the peer is an IPv6 address, and counts as such."""
        await self.listen_on("tcp6:0:interface=\\:\\:1")
        endpoint = TCP6ClientEndpoint(reactor, "::1", self.port)
        talkers = [await self.greeted(endpoint) for _ in range(2)]
        self.assertEqual(await self.mail_from(talkers[-1]), "::1")
        talker = await self.talk(endpoint)
        self.assertEqual(await talker.rest(), replies.TOO_MANY_CONNECTIONS)

    async def proxied(self, header: bytes) -> Talker:
        talker = await self.talk()
        talker.send(header)
        self.assertEqual((await talker.answer())[:4], b"220 ")
        return talker

    async def test_haproxy(self) -> None:
        """Behind HAProxy clients count, not the proxy; both forms of its header are read."""
        await self.listen_on("haproxy:tcp:0:interface=127.0.0.1")

        def text(client: str) -> bytes:
            return f"PROXY TCP4 {client} 192.0.2.100 1000 25\r\n".encode()

        def binary(client: str) -> bytes:
            addresses = socket.inet_aton(client) + socket.inet_aton("192.0.2.100")
            return b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + addresses + b"\x03\xe8\0\x19"

        for header in (text, binary):
            client = "192.0.2.1" if header is text else "192.0.2.2"
            for _ in range(2):
                talker = await self.proxied(header(client))
                self.assertEqual(await talker.say(b"EHLO x\r\n"), [250])
            self.assertEqual(await self.mail_from(talker), client)
            talker = await self.proxied(header(client))
            talker.send(b"EHLO x\r\n")
            self.assertEqual(await talker.rest(), replies.TOO_MANY_CONNECTIONS)

    async def test_haproxy_garbage(self) -> None:
        """Who comes past the proxy, without its header, is let go of."""
        await self.listen_on("haproxy:tcp:0:interface=127.0.0.1")
        talker = await self.talk()
        talker.send(b"EHLO x\r\n" + b"x" * 1000)
        self.assertNotIn(b"250", await talker.rest())
        await until(lambda: not self.factory.connections)


class ClientTests(Listening):
    """Programs that people send mail with."""

    tls = True

    def message(self, **headers: str) -> EmailMessage:
        message = EmailMessage(policy=SMTPUTF8)
        message["From"] = "Ann <ann@example.org>"
        message["To"] = "bob@qa.test"
        message["Subject"] = "A subject"
        for name, value in headers.items():
            message.replace_header(name, value)
        message.set_content("One line\n.\n..two dots\n\nlast\n")
        return message

    async def test_smtplib(self) -> None:
        """smtplib, with several recipients, one of them refused."""

        def work() -> Any:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as client:
                refused = client.send_message(
                    self.message(), to_addrs=["bob@qa.test", "no@tempmail.test", "eve@qa.test"]
                )
                client.send_message(self.message())
                return refused

        refused = await deferToThread(work)
        self.assertEqual(next(iter(refused.values()))[0], 550)
        bob, eve = await self.mails(), await self.mails("eve@qa.test")
        self.assertEqual((len(bob), len(eve)), (2, 1))
        self.assertIs(bob[0].parcel, eve[0].parcel)
        self.assertIn(b"\r\n.\r\n..two dots\r\n", bob[0].parcel.octets)

    async def test_smtplib_utf8(self) -> None:
        """smtplib with addresses in UTF-8: one mailbox however its domain is written."""

        def work() -> None:
            message = self.message(From="jörg@bücher.example", To="Jörg@bücher.example")
            with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as client:
                client.send_message(message)
                client.ehlo()
                client.sendmail(
                    "a@b.test", ["jörg@xn--bcher-kva.example"], b"x", mail_options=["SMTPUTF8"]
                )

        await deferToThread(work)
        mails = await self.mails("jörg@bücher.example")
        envelopes = [mail.parcel.envelope for mail in mails]
        self.assertEqual([one.protocol for one in envelopes], ["UTF8SMTP"] * 2)
        self.assertEqual(envelopes[0].mail_from, "jörg@bücher.example")

    async def test_smtplib_tls(self) -> None:
        """smtplib with STARTTLS, and a mail of some size."""
        body = b"Subject: x\r\n\r\n" + b"x" * 76 + b"\r\n"

        def work() -> None:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as client:
                client.starttls(context=context)
                client.sendmail("a@b.test", ["bob@qa.test"], body * 50_000)

        await deferToThread(work)
        (mail,) = await self.mails()
        self.assertEqual((mail.parcel.octets, mail.parcel.envelope.tls), (body * 50_000, True))

    async def test_smtplib_too_big(self) -> None:
        """smtplib says the size, and so is refused before it sends anything."""
        self.office.limits = Limits(max_message_size=1000)

        def work() -> int:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as client:
                try:
                    client.sendmail("a@b.test", ["bob@qa.test"], b"x" * 2000)
                except smtplib.SMTPSenderRefused as refusal:
                    return refusal.smtp_code
            return 0

        self.assertEqual(await deferToThread(work), 552)

    async def test_smtplib_many(self) -> None:
        """Ten clients at a time lose nothing."""

        def work() -> None:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as client:
                for _ in range(20):
                    client.sendmail("a@b.test", ["bob@qa.test"], b"x")

        await gatherResults([deferToThread(work) for _ in range(10)])
        self.assertEqual(len(await self.mails()), 200)

    async def test_twisted(self) -> None:
        """Twisted's own client, in plain text where there is no TLS, and by STARTTLS."""
        to = ["bob@qa.test", "eve@qa.test"]
        tls, self.factory.tls = self.factory.tls, None
        accepted, _ = await sendmail("127.0.0.1", "a@b.test", to, b"x\n.\n", port=self.port)
        self.assertEqual(accepted, 2)
        self.factory.tls = tls
        sent: Deferred[Any] = Deferred()
        sender = ESMTPSenderFactory(
            None,
            None,
            "a@b.test",
            to,
            BytesIO(b"y\n"),
            sent,
            contextFactory=CertificateOptions(),
            requireAuthentication=False,
        )
        reactor.connectTCP("127.0.0.1", self.port, sender)
        await sent
        mails = [mail.parcel for mail in await self.mails()]
        self.assertEqual([mail.octets for mail in mails], [b"x\r\n.\r\n", b"y\r\n"])
        self.assertEqual([mail.envelope.tls for mail in mails], [False, True])

    async def test_aiosmtplib(self) -> None:
        """aiosmtplib, which upgrades to TLS by itself."""

        def work() -> None:
            asyncio.run(
                aiosmtplib.send(
                    self.message(), hostname="127.0.0.1", port=self.port, validate_certs=False
                )
            )

        await deferToThread(work)
        (mail,) = await self.mails()
        self.assertEqual(mail.parcel.envelope.protocol, "ESMTPS")

    async def run_program(self, *command: str) -> bytes:
        path = shutil.which(command[0], path=os.environ["PATH"] + ":/usr/sbin")
        if path is None:
            self.fail(f"{command[0]} is missing (Debian: apt install swaks postfix)")
        out, err, code = await getProcessOutputAndValue(path, command[1:], env=os.environ)
        self.assertEqual(code, 0, out + err)
        return bytes(out)

    async def test_swaks(self) -> None:
        """swaks, in plain text, by TLS, with pipelining."""
        to = ("swaks", "--server", f"127.0.0.1:{self.port}", "--to", "bob@qa.test")
        for more in ([], ["--tls"], ["--pipeline"], ["--protocol", "SMTP"]):
            await self.run_program(*to, *more)
        protocols = [mail.parcel.envelope.protocol for mail in await self.mails()]
        self.assertEqual(protocols, ["ESMTP", "ESMTPS", "ESMTP", "SMTP"])

    async def test_smtp_source(self) -> None:
        """Postfix's load generator, ten sessions at a time, with connections new and kept."""
        for more in ([], ["-d"], ["-r", "3"]):
            await self.run_program(
                *("smtp-source", "-s", "10", "-m", "200", "-l", "5000", "-t", "bob@qa.test"),
                *(*more, f"127.0.0.1:{self.port}"),
            )
        self.assertEqual(len(await self.mails()), 600)
        for number in (2, 3):
            self.assertEqual(len(await self.mails(f"{number}bob@qa.test")), 200)
