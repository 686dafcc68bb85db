"""Certificates from files and made on the spot."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from twisted.trial.unittest import SynchronousTestCase

from tempmail.certificates import BadCertificate, Source, read_identity, self_signed
from tests.certificates import PEM, Authority


class SelfSignedTests(SynchronousTestCase):
    """A certificate nobody vouches for."""

    def test_names(self) -> None:
        """It is for every name asked for."""
        self.assertEqual(self_signed(["mx.test", "*.qa.test"]).names, ("mx.test", "*.qa.test"))


class FilesTestCase(SynchronousTestCase):
    """A directory, and an authority."""

    def setUp(self) -> None:
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        self.authority = Authority()

    def write(self, name: str, octets: bytes) -> Path:
        path = self.directory / name
        path.write_bytes(octets)
        return path


class FilesTests(FilesTestCase):
    """Certificates an authority gave us."""

    def test_chain(self) -> None:
        """The first certificate is ours, the others go along with it."""
        identity = read_identity(*self.authority.issue("mx.test").write(self.directory))
        self.assertEqual(identity.names, ("mx.test",))
        self.assertEqual(identity.chain[1:], (self.authority.certificate,))

    def test_one_file(self) -> None:
        """Certificate and key may stand in one file."""
        issued = self.authority.issue("mx.test")
        identity = read_identity(self.write("both", issued.key + issued.chain), None)
        self.assertTrue(issued.chain.startswith(identity.leaf.public_bytes(PEM)))

    def test_without_names(self) -> None:
        """A certificate without DNS names is for none."""
        issued = self.authority.issue()
        self.assertEqual(read_identity(*issued.write(self.directory)).names, ())

    def test_mistakes(self) -> None:
        """Whatever is wrong is said in one line that names the file."""
        issued, strange = self.authority.issue("mx.test"), self.authority.issue("other.test")
        locked = rsa.generate_private_key(65537, 2048).private_bytes(
            PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
        )
        good = self.write("good", issued.chain)
        for path, key_path, complaint in (
            (self.directory / "none", None, "none: No such file or directory"),
            (self.write("empty", b""), None, "empty holds no certificate in PEM"),
            (self.write("half", issued.chain[:200]), None, "half holds no certificate in PEM"),
            (good, self.write("text", b"text"), "text holds no unencrypted private key in PEM"),
            (good, self.write("locked", locked), "locked holds no unencrypted private key"),
            (good, self.write("strange", strange.key), "is not that of"),
            (self.write("key", issued.key), None, "key holds no certificate"),
        ):
            with self.subTest(complaint):
                error = self.assertRaises(BadCertificate, read_identity, path, key_path)
                self.assertIn(complaint, str(error))
                self.assertNotIn("\n", str(error))


class SourceTests(FilesTestCase):
    """Where certificates come from."""

    def test_order(self) -> None:
        """They come in the order they were given in, each with its own key."""
        pairs = tuple(
            self.authority.issue(f"{name}.test").write(self.directory, name) for name in "ab"
        )
        self.assertEqual([each.names for each in Source(pairs).read()], [("a.test",), ("b.test",)])

    def test_look(self) -> None:
        """A look differs when a file was written, replaced, removed, or linked to another."""
        for name in ("one", "two"):
            self.write(name, b"same")
        link = self.directory / "live"
        link.symlink_to("one")
        source = Source(((link, None),))
        looks = [source.look()]
        self.assertEqual(source.look(), looks[0])
        self.write("one", b"longer")
        looks.append(source.look())
        link.unlink()
        looks.append(source.look())
        link.symlink_to("two")
        looks.append(source.look())
        self.assertEqual(len(set(looks)), 4, looks)

    def test_permissions(self) -> None:
        """So does one after whoever may read the file was changed, by mode, owner or list."""
        path = self.write("one", b"same")
        source = Source(((path, None),))
        before, look = path.stat().st_ctime_ns, source.look()
        # The kernel's clock for files ticks a few hundred times a second.
        while path.stat().st_ctime_ns == before:
            path.chmod(0o600)
        self.assertNotEqual(source.look(), look)

    def test_empty(self) -> None:
        """Without files and names there is nothing to show."""
        self.assertTrue(Source().empty)
        self.assertEqual(Source().read(), ())
        self.assertFalse(Source(made_for=("mx.test",)).empty)
        [made] = Source(made_for=("mx.test",)).read()
        self.assertIsInstance(made.leaf, x509.Certificate)
