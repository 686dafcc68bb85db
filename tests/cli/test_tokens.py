"""Tokens kept between runs."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

from tempmail.cli import tokens
from tempmail.cli.run import DONE, NOT_ALLOWED
from tests.cli.case import NOW, ROOT, CommandCase
from tests.client.fake import ADDRESS, TOKEN


class TokenTests(CommandCase):
    """Tokens kept between runs."""

    def directory(self) -> Path:
        return self.home.resolve() / ".local" / "state" / "tempmail"

    def store(self) -> tokens.TokenStore:
        return tokens.TokenStore(self.directory(), lambda: self.now)

    def test_private(self) -> None:
        """Nobody else can look into the directory or the file, even if the umask would let them."""
        self.addCleanup(os.umask, os.umask(0))
        self.tempmail("new", "--local-part", "abc")
        (kept,) = self.directory().iterdir()
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (self.directory(), kept)]
        self.assertEqual(modes, [0o700, 0o600])

    def test_place(self) -> None:
        """XDG_STATE_HOME counts if it is absolute, else HOME, else the account's own home."""
        found = tokens.state_directory({"XDG_STATE_HOME": "/s", "HOME": "/h"})
        self.assertEqual(found, Path("/s/tempmail"))
        for relative in ("", "state"):
            found = tokens.state_directory({"XDG_STATE_HOME": relative, "HOME": "/h"})
            self.assertEqual(found, Path("/h/.local/state/tempmail"))
        for environ in ({}, {"HOME": ""}):
            found = tokens.state_directory(environ)
            self.assertTrue(found is None or found.is_absolute())

    def test_no_place(self) -> None:
        """Where a token can not be kept the address is printed all the same, with a warning."""
        self.environ["XDG_STATE_HOME"] = "/dev/null"
        self.assertEqual(self.tempmail("new", "--local-part", "abc"), DONE)
        self.assertEqual(self.said(), "abc@mail.test\n")
        self.assertIn("could not be kept", self.told())
        store = tokens.TokenStore(None, lambda: self.now)
        self.assertRaises(OSError, store.remember, "http://h", ADDRESS, "t", None)
        self.assertIs(store.recall("http://h", ADDRESS), None)

    def test_unknown_token(self) -> None:
        """Without a token for a private address the message says how to give one."""
        self.assertEqual(self.tempmail("list", ADDRESS), NOT_ALLOWED)
        self.assertIn("--token or TEMPMAIL_TOKEN", self.told())

    def test_show_token(self) -> None:
        """Secrets are printed on demand only, also in JSON."""
        self.tempmail("new", "--local-part", "a", "--json")
        self.assertNotIn("token", json.loads(self.said()))
        self.tempmail("new", "--local-part", "b", "--show-token")
        found = json.loads(self.said())
        self.assertEqual((found["token"], found["restore_key"]), (TOKEN, "restore-secret"))

    def test_same_address(self) -> None:
        """An address is found again however it is written; another server's is another one."""
        store = self.store()
        store.remember("http://Host:80/a/", "Abc+x@Mail.test", "t", NOW)
        self.assertEqual(store.recall("http://host:80/a", "abc@mail.TEST"), "t")
        self.assertIs(store.recall("http://host:80/b", "abc@mail.test"), None)

    def test_rm_forgets(self) -> None:
        """Deleting the mailbox deletes its token."""
        self.tempmail("new", "--local-part", "abc")
        self.tempmail("rm", "abc@mail.test")
        self.assertEqual(list(self.directory().iterdir()), [])

    def test_pruned(self) -> None:
        """What expired is dropped some time later, and so is a half-written file; others stay."""
        store = self.store()
        store.remember("http://h", "old@mail.test", "t", NOW)
        store.remember("http://h", "young@mail.test", "t", NOW + 10)
        half = self.directory() / "abc.new"
        half.touch()
        os.utime(half, (NOW, NOW))
        (self.directory() / "other").touch()
        os.utime(self.directory() / "other", (0, 0))
        self.now = NOW + tokens.KEPT_AFTER_EXPIRY + 1
        store.prune()
        self.assertIs(store.recall("http://h", "old@mail.test"), None)
        self.assertEqual(store.recall("http://h", "young@mail.test"), "t")
        self.assertEqual((half.exists(), (self.directory() / "other").exists()), (False, True))

    def test_extend_keeps_longer(self) -> None:
        """Extending a mailbox prolongs what is kept of it."""
        self.tempmail("new", "--local-part", "abc")
        self.tempmail("extend", "abc@mail.test")
        (kept,) = self.directory().iterdir()
        self.assertEqual(kept.stat().st_mtime, NOW + 3600)

    def test_damaged_file(self) -> None:
        """A file that can not be understood holds no token, and `new` replaces it."""
        store = self.store()
        store.remember("http://h", ADDRESS, "t", NOW)
        (kept,) = self.directory().iterdir()
        for content in (b"", b"\xff", b"[]", b'{"token"'):
            kept.write_bytes(content)
            self.assertIs(store.recall("http://h", ADDRESS), None)
        store.remember("http://h", ADDRESS, "t2", NOW)
        self.assertEqual(store.recall("http://h", ADDRESS), "t2")

    def test_parallel_writers(self) -> None:
        """Several processes that keep, read and prune at once lose nothing and see nothing torn."""
        writer = (
            "import sys; from pathlib import Path; from tempmail.cli.tokens import TokenStore\n"
            "store, me = TokenStore(Path(sys.argv[1]), lambda: 0.0), sys.argv[2]\n"
            "for n in range(40):\n"
            "    store.prune()\n"
            "    store.remember('http://h', f'{me}-{n}@mail.test', f'{me}.{n}', 10.0)\n"
            "    store.remember('http://h', 'shared@mail.test', me * 5000, 10.0)\n"
            "    assert len(store.recall('http://h', 'shared@mail.test')) == 5000\n"
        )
        running = [
            subprocess.Popen([sys.executable, "-c", writer, str(self.directory()), me], cwd=ROOT)
            for me in "abcd"
        ]
        self.assertEqual([each.wait(60) for each in running], [0, 0, 0, 0])
        store = self.store()
        for me in "abcd":
            for n in range(40):
                self.assertEqual(store.recall("http://h", f"{me}-{n}@mail.test"), f"{me}.{n}")
        self.assertEqual(len(list(self.directory().iterdir())), 161)
