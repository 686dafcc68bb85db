"""TLS as a server does it: which certificate is shown, what is agreed on, and renewal."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from OpenSSL import SSL
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from tempmail.certificates import BadCertificate, Identity, Source, read_identity, self_signed
from tempmail.core.limits import CERTIFICATE_LOOK_SECONDS
from tempmail.tls import Certificates, Renewal, ServerTLS
from tests.certificates import Authority, Issued


class Met:
    """A client and a server that shook hands, or did not."""

    def __init__(
        self,
        tls: ServerTLS,
        prepare: Callable[[SSL.Context], object] = lambda _: None,
        name: bytes | None = None,
        session: SSL.Session | None = None,
        context: SSL.Context | None = None,
    ) -> None:
        context = context or SSL.Context(SSL.TLS_METHOD)
        prepare(context)
        self.server, self.client = tls.serverConnectionForTLS(None), SSL.Connection(context)
        if name is not None:
            self.client.set_tlsext_host_name(name)
        if session is not None:
            self.client.set_session(session)
        self.server.set_accept_state()
        self.client.set_connect_state()
        self.agreed = self._shake_hands()

    def _shake_hands(self) -> bool:
        for _ in range(10):
            for side, other in ((self.client, self.server), (self.server, self.client)):
                try:
                    side.do_handshake()
                except SSL.WantReadError:
                    pass
                except SSL.Error:
                    return False
                with contextlib.suppress(SSL.WantReadError):
                    other.bio_write(side.bio_read(1 << 16))
        return bool(self.client.get_finished())

    @property
    def shown(self) -> x509.Certificate:
        """The certificate."""
        certificate = self.client.get_peer_certificate()
        assert certificate is not None
        return certificate.to_cryptography()

    @property
    def names(self) -> tuple[str, ...]:
        """Those of the certificate that was shown."""
        return Identity((self.shown,), None).names


class HandshakeTests(SynchronousTestCase):
    """What client and server agree on."""

    def setUp(self) -> None:
        self.tls = ServerTLS([self_signed(["mx.test"])])

    def test_versions(self) -> None:
        """A TLS 1.2 client gets through; one that knows no more than TLS 1.1 does not."""

        def only(newest: int) -> Callable[[SSL.Context], None]:
            def prepare(context: SSL.Context) -> None:
                context.set_max_proto_version(newest)
                context.set_cipher_list(b"ALL:@SECLEVEL=0")

            return prepare

        self.assertEqual(
            Met(self.tls, only(SSL.TLS1_2_VERSION)).client.get_protocol_version_name(), "TLSv1.2"
        )
        self.assertEqual(Met(self.tls).client.get_protocol_version_name(), "TLSv1.3")
        self.assertFalse(Met(self.tls, only(SSL.TLS1_1_VERSION)).agreed)

    def test_suites(self) -> None:
        """In TLS 1.2 only suites with forward secrecy and authenticated encryption are used."""
        for suites, agreed in (
            (b"ECDHE-ECDSA-AES128-GCM-SHA256", True),
            (b"ECDHE-ECDSA-CHACHA20-POLY1305", True),
            (b"ECDHE-ECDSA-AES128-SHA256", False),
            (b"ECDHE-ECDSA-AES128-SHA", False),
            (b"AES128-GCM-SHA256", False),
        ):

            def prepare(context: SSL.Context, suites: bytes = suites) -> None:
                context.set_max_proto_version(SSL.TLS1_2_VERSION)
                context.set_cipher_list(suites)

            with self.subTest(suites):
                self.assertEqual(Met(self.tls, prepare).agreed, agreed)

    def test_nothing_is_resumed(self) -> None:
        """A client that brings an earlier session gets a new one: no ticket, no cache."""

        def prepare(context: SSL.Context) -> None:
            context.set_max_proto_version(SSL.TLS1_2_VERSION)

        context = SSL.Context(SSL.TLS_METHOD)
        met = Met(self.tls, prepare, context=context)
        again = Met(self.tls, context=context, session=met.client.get_session())
        self.assertTrue(again.agreed)
        self.assertNotEqual(again.client.master_key(), met.client.master_key())

    def test_no_renegotiation(self) -> None:
        """A client can not make us shake hands again and again."""

        def prepare(context: SSL.Context) -> None:
            context.set_max_proto_version(SSL.TLS1_2_VERSION)

        met = Met(self.tls, prepare)
        self.assertTrue(met.client.renegotiate())
        with contextlib.suppress(SSL.WantReadError):
            met.client.do_handshake()
        met.server.bio_write(met.client.bio_read(1 << 16))
        with contextlib.suppress(SSL.WantReadError):
            met.server.recv(1)
        met.client.bio_write(met.server.bio_read(1 << 16))
        error = self.assertRaises(SSL.Error, met.client.do_handshake)
        self.assertIn("no renegotiation", str(error))

    def test_protocols(self) -> None:
        """Of the protocols a client offers ours is taken; without any of ours it is refused."""
        tls = ServerTLS([self_signed(["mx.test"])], [b"http/1.1"])
        for offered, agreed, expected in (
            ([b"h2", b"http/1.1"], True, b"http/1.1"),
            ([], True, b""),
            ([b"h2"], False, b""),
        ):

            def prepare(context: SSL.Context, offered: list[bytes] = offered) -> None:
                if offered:
                    context.set_alpn_protos(offered)

            with self.subTest(offered):
                met = Met(tls, prepare)
                self.assertEqual(met.agreed, agreed)
                self.assertEqual(met.client.get_alpn_proto_negotiated(), expected)

    def test_weak_key(self) -> None:
        """A key that OpenSSL finds too weak is refused in one line."""
        directory = Path(self.mktemp())
        directory.mkdir()
        weak = rsa.generate_private_key(65537, 1024)
        identity = read_identity(*Authority().issue("mx.test", key=weak).write(directory))
        error = self.assertRaises(BadCertificate, ServerTLS, [identity])
        self.assertRegex(
            str(error), "^OpenSSL does not take the certificate for mx.test: ee key too small$"
        )


class NamesTests(SynchronousTestCase):
    """Several certificates."""

    def setUp(self) -> None:
        wanted = ["mx.test"], ["*.qa.test", "QA.test"], ["mail.qa.test", "mx.test"]
        self.tls = ServerTLS([self_signed(names) for names in wanted], [b"http/1.1"])

    def test_by_name(self) -> None:
        """Who names a server is shown the certificate for it, a wildcard's for one label."""
        for asked, shown in (
            (None, "mx.test"),
            (b"mx.test", "mx.test"),
            (b"MX.Test", "mx.test"),
            (b"qa.test", "*.qa.test"),
            (b"x.QA.test", "*.qa.test"),
            (b"mail.qa.test", "mail.qa.test"),
            (b"x.y.qa.test", "mx.test"),
            (b"elsewhere.test", "mx.test"),
        ):
            with self.subTest(asked):
                self.assertEqual(Met(self.tls, name=asked).names[0], shown)

    def test_agree_the_same(self) -> None:
        """What is agreed on does not depend on the certificate."""

        def prepare(context: SSL.Context) -> None:
            context.set_alpn_protos([b"http/1.1"])

        met = Met(self.tls, prepare, name=b"qa.test")
        self.assertEqual(met.client.get_alpn_proto_negotiated(), b"http/1.1")


class RenewalTests(SynchronousTestCase):
    """Certificates that are replaced while they are in use."""

    def setUp(self) -> None:
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        self.authority = Authority()
        self.paths = self.write("old.test")
        self.certificates = Certificates(Source((self.paths,)))
        self.clock = Clock()
        renewal = Renewal(self.clock, self.certificates)
        renewal.startService()
        self.addCleanup(renewal.stopService)

    def issue(self, name: str) -> Issued:
        return self.authority.issue(name)

    def write(self, name: str) -> tuple[Path, Path]:
        return self.issue(name).write(self.directory)

    def look(self) -> list[str]:
        """What is logged at the next look."""
        with capturedLogs() as events:
            self.clock.advance(CERTIFICATE_LOOK_SECONDS)
        return [f"{event['log_level'].name}: {formatEvent(event)}" for event in events]

    def shown(self) -> set[str]:
        """The names shown now, by mail and by web."""
        return {*Met(self.certificates.mail).names, *Met(self.certificates.web).names}

    def test_renewed(self) -> None:
        """Replaced files are shown after the next look, and not before."""
        self.write("new.test")
        self.assertEqual(self.shown(), {"old.test"})
        self.assertEqual(self.look(), ["info: renewed certificates are in use"])
        self.assertEqual(self.shown(), {"new.test"})
        self.assertEqual(self.look(), [])

    def test_connections_go_on(self) -> None:
        """Whoever shook hands before goes on as if nothing had happened."""
        met = Met(self.certificates.mail)
        self.write("new.test")
        self.look()
        met.client.send(b"EHLO x\r\n")
        met.server.bio_write(met.client.bio_read(1 << 16))
        self.assertEqual(met.server.recv(100), b"EHLO x\r\n")

    def test_link(self) -> None:
        """A symbolic link that now leads to another file counts, as certbot makes them."""
        link = self.directory / "live.pem"
        link.symlink_to("mx.pem")
        self.certificates.use(Source(((link, self.paths[1]),)))
        old_key = self.paths[1].read_bytes()
        issued = self.issue("new.test")
        issued.write(self.directory, "newer")
        self.paths[1].write_bytes(old_key)
        link.unlink()
        link.symlink_to("newer.pem")
        self.paths[1].write_bytes(issued.key)
        self.look()
        self.assertEqual(self.shown(), {"new.test"})

    def test_half_done(self) -> None:
        """A certificate whose key is not there yet is told once, and changes nothing."""
        issued = self.issue("new.test")
        self.paths[0].write_bytes(issued.chain)
        [line] = self.look()
        self.assertRegex(line, "^error: the certificates stay as they were: the key in .* not that")
        self.assertEqual(self.look(), [])
        self.assertEqual(self.shown(), {"old.test"})
        self.paths[1].write_bytes(issued.key)
        self.assertEqual(self.look(), ["info: renewed certificates are in use"])
        self.assertEqual(self.shown(), {"new.test"})

    def test_broken(self) -> None:
        """So is a file that is cut off, and one that is gone."""
        self.paths[0].write_bytes(self.issue("new.test").chain[:300])
        self.assertIn("holds no certificate", self.look()[0])
        self.paths[1].unlink()
        self.paths[0].unlink()
        self.assertIn("No such file", self.look()[0])
        self.assertEqual(self.shown(), {"old.test"})

    def test_late(self) -> None:
        """Where a certificate should have been renewed by now, that is said once."""
        self.clock.advance(time.time())
        for _ in range(2):
            self.authority.issue("late.test", age=70).write(self.directory)
            [_, warned] = self.look()
            self.assertRegex(warned, r"^warn: the certificate for late.test ends on .* not renewed")
            self.assertEqual(self.look(), [])

    def test_other_files(self) -> None:
        """After a change of settings the files named there are looked at."""
        other = self.issue("other.test").write(self.directory, "other")
        self.certificates.use(Source((other,)))
        self.write("unused.test")
        self.assertEqual(self.look(), [])
        self.assertEqual(self.shown(), {"other.test"})

    def test_unusable(self) -> None:
        """Settings that name files which can not be used change nothing."""
        broken = Source(((self.directory / "none", None),))
        self.assertRaises(BadCertificate, self.certificates.use, broken)
        self.write("new.test")
        self.look()
        self.assertEqual(self.shown(), {"new.test"})

    def test_self_signed(self) -> None:
        """One made on the spot is not made again for the same names."""
        self.certificates.use(Source(made_for=("a.test",)))
        before = Met(self.certificates.mail).shown
        self.certificates.use(Source(made_for=("a.test",)))
        self.assertEqual(Met(self.certificates.mail).shown, before)
        self.certificates.use(Source(made_for=("b.test",)))
        self.assertEqual(self.shown(), {"b.test"})

    def test_ends(self) -> None:
        """Of several for one name, or for none, the end that comes first is told."""
        for names in (("mx.test", "www.test"), ()):
            pairs, ends = [], []
            for days in (90, 2, 40):
                issued = self.authority.issue(*names, days=days)
                pairs.append(issued.write(self.directory, f"{days}"))
                leaf = x509.load_pem_x509_certificates(issued.chain)[0]
                ends.append(leaf.not_valid_after_utc.timestamp())
            self.certificates.use(Source(tuple(pairs)))
            self.assertEqual(self.certificates.ends, {"".join(names[:1]): min(ends)})

    def test_none(self) -> None:
        """Without certificates TLS is not offered; connections that need it see the last ones."""
        self.certificates.use(Source())
        self.assertFalse(self.certificates.offered)
        self.assertEqual(self.shown(), {"old.test"})
