"""What bounds a session, and how it is told."""

from __future__ import annotations

from attrs import evolve
from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from zope.interface import provider

from tempmail.core.errors import MemoryFull
from tempmail.core.limits import LINGER_SECONDS, MAX_COMMAND_OCTETS, Limits
from tempmail.smtp import replies
from tempmail.smtp.factory import SessionFactory
from tests.smtp.support import DATA, MAIL, OPENED, RCPT, Client, Line, ReceiverTestCase, ways

PROXY = IPv4Address("TCP", "10.0.0.1", 1)
BODY = b"x\r\n.\r\n"


class LineTests(ReceiverTestCase):
    """Command lines."""

    def test_too_long(self) -> None:
        """A line too long is refused once, and the next is taken, however they come."""
        for length in (MAX_COMMAND_OCTETS - 1, 3 * MAX_COMMAND_OCTETS, 100_000):
            stream = b"x" * length + b"\r\nNOOP\r\n"
            for size in (len(stream), 1, 1000, MAX_COMMAND_OCTETS, length, length + 1, length + 2):
                if len(stream) > 10_000 and size == 1:
                    continue
                client = self.greeted()
                pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
                self.assertEqual(client.send(*pieces), replies.LINE_TOO_LONG + replies.OK)
                client.hang_up()

    def test_longest(self) -> None:
        """A line of just the limit is taken."""
        line = b"NOOP " + b"x" * (MAX_COMMAND_OCTETS - 7) + b"\r\n"
        self.assertEqual(len(line), MAX_COMMAND_OCTETS)
        for pieces in ([line], [line[:-1], b"\n"], [line[:-2], b"\r\n"]):
            self.assertEqual(self.greeted().send(*pieces), replies.OK)

    def test_without_end(self) -> None:
        """Of a line that never ends nothing is kept, and it is refused once."""
        client = self.greeted()
        said = client.send(*[b"x" * 65536] * 50)
        self.assertEqual(said, replies.LINE_TOO_LONG)
        self.assertEqual(client.session._input, b"")

    def test_bare_line_ends(self) -> None:
        """A command with a CR, LF or NUL in it is refused, and what it hides is not run."""
        for line in (
            b"NOOP\n",
            b"NOOP\r\r\n",
            b"NOOP\rNOOP\r\n",
            b"\rNOOP\r\n",
            b"NOOP\0\r\n",
            b"MAIL FROM:<a@b.test>\rRCPT TO:<bob@tempmail.test>\r\n",
            b"EHLO a\0b\r\n",
        ):
            for pieces in ways(line):
                client = self.greeted()
                self.assertEqual(client.send(*pieces), replies.BARE_LINE_END, line)
                client.hang_up()

    def test_two_bare_lines(self) -> None:
        """Each of the lines is refused by itself."""
        said = self.greeted().send(b"MAIL FROM:<a@b.test>\nRCPT TO:<bob@tempmail.test>\r\n")
        self.assertEqual(said, replies.BARE_LINE_END + replies.MAIL_FIRST)


class ForeignTests(ReceiverTestCase):
    """Who comes by mistake, or was sent."""

    FORM = (
        b"Host: mx.tempmail.test:2525\r\nOrigin: http://evil.test\r\nContent-Type: text/plain\r\n"
        b"Content-Length: 99\r\n\r\nEHLO x\r\n" + OPENED + b"forged\r\n.\r\nQUIT\r\n"
    )

    def test_http(self) -> None:
        """A browser's request is closed with 421, and its body is not run."""
        for begin in (b"POST / HTTP/1.1\r\n", b"POST /" + b"x" * 5000 + b" HTTP/1.1\r\n"):
            for size in (1, 100, 2000, 100_000):
                client = self.connect()
                client.heard()
                stream = begin + self.FORM
                pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
                self.assertEqual(client.send(*pieces), replies.NO_SMTP)
                self.assertTrue(client.line.half_closed)
                self.assertEqual(self.drop.mails, [])

    def test_methods(self) -> None:
        """No method of HTTP is let on."""
        for method in "GET POST PUT HEAD OPTIONS CONNECT DELETE PATCH TRACE get".split():
            client = self.connect()
            client.heard()
            self.assertEqual(client.send(method.encode() + b" /"), replies.NO_SMTP)

    def test_tls(self) -> None:
        """Who begins with TLS where it was not agreed on is told at once, and not left waiting."""
        client = self.connect()
        client.heard()
        self.assertEqual(client.send(b"\x16\x03\x01\x02\x00\x01\x00"), replies.NO_SMTP)
        self.assertTrue(client.line.half_closed)

    def test_words_like_methods(self) -> None:
        """What only begins like one is an unknown command."""
        client = self.connect()
        client.heard()
        self.assertEqual(client.codes(b"GETTY x\r\n", b"POSTER\r\n", b"x GET /\r\n"), [500] * 3)

    def test_no_address_in_the_log(self) -> None:
        """Scanners, refusals and mail leave nothing in the log: no traceback, no address."""
        events: list[LogEvent] = []
        observer: ILogObserver = provider(ILogObserver)(lambda event: events.append(event))
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        for stream in (
            b"GET / HTTP/1.0\r\n\r\n",
            b"\x16\x03\x01\x00\xa5\x01\x00\r\n",
            b"\xff\xfe\r\nAUTH\r\nMAIL FROM:<\xff\r\n",
            b"EHLO x\r\n" + OPENED + BODY + RCPT + b"BDAT 1\r\nxQUIT\r\n",
            b"x" * 10_000,
        ):
            client = self.connect()
            client.send(stream)
            client.hang_up()
        self.pass_time(3)
        self.assertEqual(events, [])


class CountTests(ReceiverTestCase):
    """Commands, errors, recipients."""

    limits = Limits(max_commands=10, max_errors=3, max_recipients=2)

    def test_commands(self) -> None:
        """One command too many ends the session."""
        client = self.connect()
        client.heard()
        self.assertEqual(client.send(b"NOOP\r\n" * 10), replies.OK * 10)
        self.assertEqual(client.send(b"NOOP\r\nNOOP\r\n"), replies.TOO_MANY_COMMANDS)
        self.assertTrue(client.line.half_closed)

    def test_errors(self) -> None:
        """The last refusal that is allowed is told, and the end behind it."""
        for line in (
            b"x\r\n",
            b"x\n",
            b"RCPT TO:<b@qa.test>\r\n",
            b"BDAT 3\r\nabc",
            b"x" * 3000 + b"\r\n",
        ):
            client = self.connect()
            client.heard()
            said = client.send(line * 5)
            self.assertEqual(client.session._errors, 3)
            self.assertEqual(said.count(b"\r\n"), 4)
            self.assertTrue(said.endswith(replies.TOO_MANY_ERRORS))
            self.assertTrue(client.line.half_closed)

    def test_temporary_refusals_are_no_errors(self) -> None:
        """A refusal that asks to try again counts for nothing."""
        client = self.greeted()
        self.drop.checks = [MemoryFull("no")] * 8
        self.assertEqual(client.codes(MAIL + RCPT * 8), [250] + [452] * 8)
        self.assertFalse(client.line.closed)

    def test_recipients(self) -> None:
        """More recipients than allowed are put off, for the same mail to be sent again to them."""
        client = self.greeted()
        one, two, three = (b"RCPT TO:<%s@qa.test>\r\n" % name for name in (b"a", b"b", b"c"))
        said = client.send(MAIL + one + two + three + one + DATA)
        self.assertEqual(
            said,
            replies.SENDER_OK
            + replies.RECIPIENT_OK * 2
            + replies.TOO_MANY_RECIPIENTS
            + replies.RECIPIENT_OK
            + replies.GO_ON,
        )
        client.send(BODY)
        self.assertEqual(self.drop.mails[0].recipients, ["a@qa.test", "b@qa.test"])

    def test_unlimited(self) -> None:
        """In a closed network nothing of this is counted."""
        self.start(self.limits.without_client_limits())
        client = self.connect()
        client.send(b"x\r\n" * 100 + b"EHLO x\r\n" + b"NOOP\r\n" * 20_000)
        self.assertEqual(client.codes(b"NOOP\r\n"), [250])
        for _ in range(200):
            self.connect()
        self.assertEqual(self.factory.connections, 201)
        self.assertFalse(any(client.line.closed for client in self.clients))


class SameMailboxTests(ReceiverTestCase):
    """One recipient many times."""

    def test_many_times(self) -> None:
        """A mailbox named a thousand times is one recipient."""
        client = self.greeted()
        self.assertEqual(client.codes(MAIL + RCPT * 1000 + DATA), [250] * 1001 + [354])
        client.send(BODY)
        self.assertEqual(self.drop.mails[0].recipients, ["bob@tempmail.test"])


class ConnectionTests(ReceiverTestCase):
    """Who is let in."""

    limits = Limits(max_connections=5, max_connections_per_client=2)

    def refused(self, host: str) -> bool:
        client = self.connect(host)
        said = client.heard()
        if said.startswith(b"220 "):
            self.assertFalse(client.line.closed)
            return False
        self.assertEqual(said, replies.TOO_MANY_CONNECTIONS)
        self.assertTrue(client.line.closed)
        return True

    def test_per_client(self) -> None:
        """One client has so many connections and no more, others have theirs."""
        self.assertEqual([self.refused("192.0.2.1") for _ in range(3)], [False, False, True])
        self.assertFalse(self.refused("192.0.2.2"))

    def test_per_network(self) -> None:
        """The addresses of one /64 are one client."""
        hosts = ("2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1", "::ffff:192.0.2.1")
        self.assertEqual(list(map(self.refused, hosts)), [False, False, True, False, False])

    def test_total(self) -> None:
        """All together have so many and no more."""
        refused = [self.refused(f"192.0.2.{number}") for number in range(7)]
        self.assertEqual(refused, [False] * 5 + [True] * 2)

    def test_place_is_free_again(self) -> None:
        """A connection that ends leaves its place to the next."""
        self.refused("192.0.2.1")
        self.refused("192.0.2.1")
        self.clients[0].hang_up()
        self.assertFalse(self.refused("192.0.2.1"))
        self.assertTrue(self.refused("192.0.2.1"))

    def test_refused_count_for_nobody(self) -> None:
        """Who comes again and again and is refused keeps nobody else out."""
        for _ in range(20):
            self.refused("192.0.2.1")
        self.assertEqual([self.refused(f"192.0.2.{n}") for n in (2, 3, 4, 5)], [False] * 3 + [True])

    def test_refused_do_not_stay(self) -> None:
        """The refused are given time to read why, but not where there are many of them."""
        lines = []
        for _ in range(8):
            self.refused("192.0.2.1")
            lines.append(self.clients[-1].line)
        self.assertEqual(
            [line.half_closed for line in lines], [False] * 2 + [True] * 3 + [False] * 3
        )
        self.assertEqual([line.disconnecting for line in lines], [False] * 5 + [True] * 3)

    def test_many(self) -> None:
        """Ten thousand connections opened and closed leave nothing."""
        self.start(self.limits.without_client_limits())
        for number in range(10_000):
            client = Client(self.factory, f"192.0.{number % 250}.{number % 199}")
            client.hang_up()
        self.assertEqual(self.factory.connections, 0)
        self.assertEqual(self.factory._held.counts, {})

    def test_refused_session_is_deaf(self) -> None:
        """A refused client that talks all the same is not answered."""
        for _ in range(2):
            self.refused("192.0.2.1")
        client = self.connect("192.0.2.1")
        client.heard()
        self.assertEqual(client.send(b"EHLO x\r\n" + OPENED + BODY), b"")


class Proxied(ProtocolWrapper):
    """A connection of a proxy, which says later whose it is."""

    client = PROXY

    def getPeer(self) -> IPv4Address:
        return self.client


def proxied(factory: SessionFactory) -> Proxied:
    """A new connection by way of the proxy."""
    session = factory.buildProtocol(PROXY)
    assert session is not None
    wrapper = Proxied(WrappingFactory(factory), session)
    wrapper.makeConnection(Line(PROXY))
    return wrapper


class ProxyTests(ReceiverTestCase):
    """Connections that come by way of a proxy."""

    limits = Limits(max_connections_per_client=2)

    def connected(self, host: str) -> Proxied:
        wrapper = proxied(self.factory)
        wrapper.client = IPv4Address("TCP", host, 1)
        self.addCleanup(wrapper.connectionLost, None)
        return wrapper

    def tearDown(self) -> None:
        self.doCleanups()  # the proxy's connections end before what is left is counted
        super().tearDown()

    def said(self, wrapper: Proxied) -> bytes:
        line = wrapper.transport
        assert isinstance(line, Line)
        said: bytes = line.value()
        line.clear()
        return said

    def test_client_counts(self) -> None:
        """Each client behind a proxy has its own connections, and is told at EHLO."""
        greeted = []
        for host in ("192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.1"):
            wrapper = self.connected(host)
            self.assertTrue(self.said(wrapper).startswith(b"220 "))
            wrapper.dataReceived(b"EHLO x\r\n")
            greeted.append(self.said(wrapper))
        self.assertEqual([said[:4] for said in greeted], [b"250-"] * 3 + [b"421 "])
        self.assertEqual(greeted[-1], replies.TOO_MANY_CONNECTIONS)

    def test_proxy_does_not_count(self) -> None:
        """Connections whose client is not known yet are no client's."""
        wrappers = [self.connected(f"192.0.2.{number}") for number in range(9)]
        self.assertTrue(all(self.said(wrapper).startswith(b"220 ") for wrapper in wrappers))

    def test_silent_clients_count(self) -> None:
        """Who never says EHLO is known a moment later all the same."""
        wrappers = [self.connected("192.0.2.1") for _ in range(3)]
        self.pass_time(1)
        said = [self.said(wrapper) for wrapper in wrappers]
        self.assertEqual(sum(one.endswith(replies.TOO_MANY_CONNECTIONS) for one in said), 1)

    def test_envelope(self) -> None:
        """The peer of a mail is the client, not the proxy."""
        self.connected("192.0.2.9").dataReceived(b"EHLO x\r\n" + OPENED + BODY)
        self.assertEqual(self.drop.mails[0].envelope.peer, "192.0.2.9")


class TimeTests(ReceiverTestCase):
    """How long a session may take."""

    limits = Limits(
        idle_timeout=10.0, session_timeout=100.0, min_octets_per_second=10, max_errors=1000
    )

    def gone(self, client: Client) -> bool:
        """Whether the client is cut off when it does not hang up by itself."""
        self.assertFalse(client.line.disconnected)
        self.pass_time(LINGER_SECONDS + 2)
        return client.line.disconnected

    def test_idle(self) -> None:
        """A client that says nothing is told 421, and cut if it does not hang up."""
        for connect in (self.connect, self.greeted):
            client = connect()
            client.heard()
            self.pass_time(10)
            self.assertEqual(client.heard(), b"")
            self.pass_time(1)
            self.assertEqual(client.heard(), replies.IDLE)
            self.assertTrue(client.line.half_closed)
            self.assertTrue(self.gone(client))
            client.hang_up()

    def test_any_octet_is_no_idleness(self) -> None:
        """The time begins anew with whatever it says."""
        client = self.greeted()
        for _ in range(8):
            self.pass_time(9)
            client.send(b"N")
        self.assertFalse(client.line.closed)

    def test_idle_in_a_mail(self) -> None:
        """In the middle of a mail it is the same, and the mail is dropped."""
        client = self.greeted()
        client.send(OPENED + b"x")
        self.pass_time(11)
        self.assertEqual(client.heard(), replies.IDLE)
        self.assertEqual(self.drop.reserved, 0)
        self.assertEqual(client.send(b"\r\n.\r\n"), b"")
        self.assertEqual(self.drop.mails, [])

    def test_slow(self) -> None:
        """A mail or chunk that comes in too slowly, after a while of grace, is cut off."""
        for begin in (DATA, b"BDAT 1000\r\n"):
            client = self.greeted()
            client.send(MAIL + RCPT + begin)
            for _ in range(10):
                self.pass_time(1)
                client.send(b"x")
            self.assertEqual(client.heard(), b"")
            self.pass_time(1)
            self.assertEqual(client.send(b"x"), b"")
            self.pass_time(1)
            self.assertEqual(client.heard(), replies.TOO_SLOW)
            self.assertTrue(client.line.half_closed)
            self.assertEqual(self.drop.reserved, 0)
            self.assertTrue(self.gone(client))

    def test_not_slow(self) -> None:
        """One that comes at the least rate is taken."""
        client = self.greeted()
        client.send(OPENED)
        for _ in range(60):
            client.send(b"x" * 10)
            self.pass_time(1)
        self.assertEqual(client.send(b"\r\n.\r\n"), replies.KEPT)

    def test_session(self) -> None:
        """A whole session takes so long and no longer, whatever the client says."""
        client = self.greeted()
        for _ in range(100):
            client.send(b"NOOP\r\n")
            self.pass_time(1)
        self.assertEqual(client.heard(), b"")
        self.pass_time(1)
        self.assertEqual(client.heard(), replies.TOO_LONG_A_SESSION)
        self.assertTrue(self.gone(client))

    def test_session_ends_behind_its_mail(self) -> None:
        """A mail in flight when the time is over is still taken."""
        client = self.greeted()
        for _ in range(95):
            client.send(b"NOOP\r\n")
            self.pass_time(1)
        client.send(OPENED)
        for _ in range(10):
            client.send(b"x" * 100)
            self.pass_time(1)
        self.assertEqual(client.send(b"\r\n.\r\n"), replies.KEPT)
        self.pass_time(1)
        self.assertEqual(client.heard(), replies.TOO_LONG_A_SESSION)

    def test_endless_mail(self) -> None:
        """A mail that never ends is cut off, however fast it comes and refused or not."""
        for begin in (MAIL + RCPT + DATA, b"BDAT 99999999999999999999\r\n"):
            client = self.greeted()
            client.send(begin)
            for _ in range(101):
                client.send(b"x" * 1000)
                self.pass_time(1)
            self.assertEqual(client.heard(), replies.TOO_LONG_A_SESSION)

    def test_long_mails_of_a_short_session(self) -> None:
        """The rate is each mail's own."""
        client = self.greeted()
        for _ in range(8):
            client.send(OPENED + b"x")
            self.pass_time(9)
            self.assertEqual(client.send(b"\r\n.\r\n")[:3], b"250")

    def test_after_quit(self) -> None:
        """Who does not hang up behind QUIT is cut off."""
        client = self.greeted()
        client.send(b"QUIT\r\n")
        self.assertTrue(self.gone(client))

    def test_peer_that_never_reads(self) -> None:
        """A peer that takes no answers is not read from, and cut off when that lasts."""
        client = self.greeted()
        client.session.wire.pauseProducing()
        self.assertTrue(client.line.paused)
        self.pass_time(11)
        self.assertEqual(client.heard(), replies.IDLE)
        self.assertFalse(client.line.paused, "its hanging up could not be seen")
        self.assertTrue(self.gone(client))

    def test_change_of_limits(self) -> None:
        """A limit that is changed holds for sessions that are open."""
        client = self.greeted()
        self.drop.limits = evolve(self.limits, idle_timeout=2.0)
        self.pass_time(3)
        self.assertEqual(client.heard(), replies.IDLE)

    def test_defect(self) -> None:
        """One session that breaks does not keep the others from being looked at."""
        broken, idle = self.greeted(), self.greeted()
        broken.line.write = None  # type: ignore[assignment, method-assign]
        idle.heard()
        self.pass_time(11)
        self.assertEqual(idle.heard(), replies.IDLE)
        self.assertTrue(self.flushLoggedErrors(TypeError))


class ClosingTests(ReceiverTestCase):
    """The end of all sessions."""

    def test_idle(self) -> None:
        """Who is idle is told at once; when all hung up, that is the end."""
        client, greeted = self.connect(), self.greeted()
        client.heard()
        closed = self.factory.close(10.0)
        for one in (client, greeted):
            self.assertEqual(one.heard(), replies.SHUTTING_DOWN)
            self.assertTrue(one.line.half_closed)
            self.assertNoResult(closed)
            one.hang_up()
        self.successResultOf(closed)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nobody(self) -> None:
        """Without sessions it is over at once."""
        self.successResultOf(self.factory.close(10.0))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_in_flight(self) -> None:
        """A mail in flight is taken, and the end told behind its answer."""
        late: Deferred[None] = Deferred()
        self.drop.deliveries = [None, late]
        for begin in (MAIL, MAIL + RCPT, OPENED, OPENED + b"x", MAIL + RCPT + b"BDAT 3\r\nabc"):
            client = self.greeted()
            client.send(begin)
        one, two = self.clients[2], self.clients[3]
        closed = self.factory.close(10.0)
        self.assertEqual([client.heard() for client in self.clients], [b""] * 5)
        self.assertEqual(one.send(BODY), replies.KEPT + replies.SHUTTING_DOWN)
        self.assertEqual(two.send(b"\r\n.\r\n"), b"")
        late.callback(None)
        self.assertEqual(two.heard(), replies.KEPT + replies.SHUTTING_DOWN)
        self.assertEqual(len(self.drop.mails), 2)
        self.assertEqual(self.clients[0].send(b"RSET\r\n"), replies.OK + replies.SHUTTING_DOWN)
        self.assertNoResult(closed)
        for client in self.clients:
            client.hang_up()
        self.successResultOf(closed)

    def test_grace(self) -> None:
        """Who is not done after the grace is told 421, and cut if he does not hang up."""
        never: Deferred[None] = Deferred()
        self.drop.deliveries = [never]
        sending, waiting = self.greeted(), self.greeted()
        waiting.send(OPENED + BODY)
        sending.send(OPENED)
        closed = self.factory.close(10.0)
        for _ in range(9):
            sending.send(b"x" * 1000)
            self.pass_time(1)
        self.assertEqual(sending.heard() + waiting.heard(), b"")
        self.pass_time(1)
        for client in (sending, waiting):
            self.assertEqual(client.heard(), replies.SHUTTING_DOWN)
            self.assertTrue(client.line.half_closed)
            self.assertFalse(client.line.disconnecting, "a reset would destroy the answer")
        self.pass_time(LINGER_SECONDS + 1)
        for client in (sending, waiting):
            self.assertTrue(client.line.disconnected)
            client.hang_up()
        self.successResultOf(closed)
        self.assertEqual(self.drop.reserved, 0)
        never.callback(None)

    def test_hurry(self) -> None:
        """Who does not wait for the end cuts everyone off at once, and takes no mail any more."""
        client = self.greeted()
        client.send(OPENED)
        closed = self.factory.close(10.0)
        closed.addErrback(lambda failure: failure.trap(CancelledError))
        closed.cancel()
        self.assertTrue(client.line.disconnected)
        self.assertEqual(self.drop.mails, [])
        client.hang_up()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_new_connections(self) -> None:
        """Who comes meanwhile is refused with 421."""
        client = self.greeted()
        client.send(MAIL)
        self.factory.close(10.0)
        self.assertEqual(self.connect().heard(), replies.SHUTTING_DOWN)

    def test_proxied_greeting(self) -> None:
        """A client of a proxy becoming known is not the last one going."""
        wrapper = proxied(self.factory)
        wrapper.dataReceived(b"EHLO x\r\n" + MAIL)
        closed = self.factory.close(10.0)
        wrapper.client = IPv4Address("TCP", "192.0.2.1", 1)
        wrapper.dataReceived(b"EHLO x\r\n")
        self.assertNoResult(closed)
        wrapper.connectionLost(None)
        self.successResultOf(closed)

    def test_afterwards(self) -> None:
        """When all is over nobody is let in any more."""
        self.factory.close(10.0)
        self.assertIsNone(self.factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 1)))
