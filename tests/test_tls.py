"""Certificates from files and made on the spot."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from OpenSSL import SSL
from twisted.internet.ssl import CertificateOptions
from twisted.trial.unittest import SynchronousTestCase

from tempmail.tls import BadCertificate, from_files, self_signed


def pem_pair(name: str) -> tuple[bytes, bytes]:
    """A certificate and its key, as PEM."""
    options = self_signed([name])
    key: Any = options.privateKey
    private = key.to_cryptography_key().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return _certificate(options).public_bytes(serialization.Encoding.PEM), private


def _certificate(options: CertificateOptions) -> x509.Certificate:
    assert options.certificate is not None
    return options.certificate.to_cryptography()


class SelfSignedTests(SynchronousTestCase):
    """A certificate nobody vouches for."""

    def test_names(self) -> None:
        """It is for every name asked for."""
        certificate = _certificate(self_signed(["mx.test", "*.qa.test"]))
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual(names.get_values_for_type(x509.DNSName), ["mx.test", "*.qa.test"])

    def test_handshake(self) -> None:
        """A TLS 1.2 client gets through; one that knows no more than TLS 1.1 does not."""
        context = self_signed(["mx.test"]).getContext()
        self.assertTrue(_handshake(context, SSL.TLS1_2_VERSION))
        self.assertFalse(_handshake(context, SSL.TLS1_1_VERSION))


class FilesTests(SynchronousTestCase):
    """Certificates an authority gave us."""

    def setUp(self) -> None:
        self.directory = Path(self.mktemp())
        self.directory.mkdir()

    def write(self, name: str, octets: bytes) -> Path:
        path = self.directory / name
        path.write_bytes(octets)
        return path

    def test_chain(self) -> None:
        """The first certificate is ours, the others go along with it."""
        mine, key = pem_pair("mx.test")
        other, _ = pem_pair("ca.test")
        options = from_files(self.write("c", mine + other), self.write("k", key))
        self.assertEqual(_certificate(options).public_bytes(serialization.Encoding.PEM), mine)
        self.assertEqual(len(options.extraCertChain), 1)

    def test_one_file(self) -> None:
        """Certificate and key may stand in one file."""
        certificate, key = pem_pair("mx.test")
        options = from_files(self.write("both", key + certificate), None)
        self.assertEqual(
            _certificate(options).public_bytes(serialization.Encoding.PEM), certificate
        )

    def test_mistakes(self) -> None:
        """Whatever is wrong is said in one line that names the file."""
        certificate, key = pem_pair("mx.test")
        _, strange = pem_pair("other.test")
        locked = rsa.generate_private_key(65537, 2048).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
        good = self.write("good", certificate)
        for path, key_path, complaint in (
            (self.directory / "none", None, "none: No such file or directory"),
            (self.write("empty", b""), None, "empty holds no certificate in PEM"),
            (good, self.write("text", b"text"), "text holds no unencrypted private key in PEM"),
            (good, self.write("locked", locked), "locked holds no unencrypted private key"),
            (good, self.write("strange", strange), "is not that of"),
            (self.write("key", key), None, "key holds no certificate"),
        ):
            with self.subTest(complaint):
                error = self.assertRaises(BadCertificate, from_files, path, key_path)
                self.assertIn(complaint, str(error))
                self.assertNotIn("\n", str(error))


def _handshake(server_context: SSL.Context, newest: int) -> bool:
    """Whether a client that knows no newer version and a server of this context agree."""
    client_context = SSL.Context(SSL.TLS_METHOD)
    client_context.set_max_proto_version(newest)
    client_context.set_cipher_list(b"ALL:@SECLEVEL=0")
    server, client = SSL.Connection(server_context), SSL.Connection(client_context)
    server.set_accept_state()
    client.set_connect_state()
    for _ in range(10):
        for side, other in ((client, server), (server, client)):
            try:
                side.do_handshake()
            except SSL.WantReadError:
                pass
            except SSL.Error:
                return False
            with contextlib.suppress(SSL.WantReadError):
                other.bio_write(side.bio_read(1 << 16))
    return bool(client.get_protocol_version_name() == "TLSv1.2" and client.get_finished())
