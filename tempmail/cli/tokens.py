"""The tokens of this user's mailboxes, kept from one run of `tempmail` to the next.

One small file for each address, so that parallel test runs never write the same one, and a reader
needs no lock: a file appears whole or not at all. Its modification time is the time it expires,
so that pruning reads no file.
"""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

KEPT_AFTER_EXPIRY = 86400.0
"""Seconds that a token outlives its mailbox: to its own token the server can still say "expired"
where a stranger only hears "not found". Also longer than any run that might be writing the file."""
UNTOLD_LIFETIME = 7 * 86400.0
"""Seconds to keep the token of a mailbox of which the server did not say when it expires."""


class TokenStore:
    """Tokens by server and address, in `directory`; None when there is no place for one.

    `now` gives seconds since the epoch.
    """

    def __init__(self, directory: Path | None, now: Callable[[], float]) -> None:
        self._directory = directory
        self._now = now

    def remember(self, server: str, address: str, token: str, expires_at: float | None) -> None:
        """Keeps `token` until some time after `expires_at`. Raises OSError when it can not."""
        if self._directory is None:
            raise OSError(errno.ENOENT, "neither XDG_STATE_HOME nor a home directory is known")
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory.chmod(0o700)
        until = self._now() + UNTOLD_LIFETIME if expires_at is None else expires_at
        record = {"server": server, "address": address, "token": token, "expires_at": until}
        _write(self._directory / _name(server, address), json.dumps(record), until)

    def recall(self, server: str, address: str) -> str | None:
        """The token kept for `address`, or None; a file that can not be read holds none."""
        if self._directory is None:
            return None
        try:
            record = json.loads((self._directory / _name(server, address)).read_text("utf-8"))
            return str(record["token"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def prolong(self, server: str, address: str, expires_at: float | None) -> None:
        """Keeps what is kept for `address` until some time after the new `expires_at`."""
        token = self.recall(server, address)
        if token is not None:
            self.remember(server, address, token, expires_at)

    def forget(self, server: str, address: str) -> None:
        """Keeps the token of `address` no longer."""
        if self._directory is not None:
            with suppress(OSError):
                (self._directory / _name(server, address)).unlink()

    def prune(self) -> None:
        """Drops what expired long enough ago, and what a run that was killed left half written."""
        if self._directory is None:
            return
        with suppress(OSError), os.scandir(self._directory) as entries:
            for entry in entries:
                if entry.name.endswith(_ENDINGS):
                    self._drop_if_old(entry)

    def _drop_if_old(self, entry: os.DirEntry[str]) -> None:
        with suppress(OSError):  # another run was faster
            if entry.stat(follow_symlinks=False).st_mtime < self._now() - KEPT_AFTER_EXPIRY:
                Path(entry.path).unlink()


_ENDINGS = (".token", ".new")


def state_directory(environ: Mapping[str, str]) -> Path | None:
    """Where tokens are kept (XDG base directories), or None in an account without a home."""
    # The specification has a relative path ignored.
    state = Path(environ.get("XDG_STATE_HOME", ""))
    if state.is_absolute():
        return state / "tempmail"
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or _home_of_the_account())
    return home / ".local" / "state" / "tempmail" if home.is_absolute() else None


def _home_of_the_account() -> str:
    """What the account database says, or "": a container often runs as a number without a name."""
    try:
        import pwd  # not there on every system

        return pwd.getpwuid(os.getuid()).pw_dir
    except (ImportError, KeyError):
        return ""


def _name(server: str, address: str) -> str:
    """The file for `address`, which is compared as the server does: in any case, without tag."""
    local, _, domain = address.strip().lower().rpartition("@")
    parts = urlsplit(server)
    place = f"{parts.scheme.lower()}://{parts.netloc.lower()}{parts.path.rstrip('/')}"
    key = f"{place}\n{local.partition('+')[0]}@{domain}"
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:40] + ".token"


def _write(path: Path, text: str, until: float) -> None:
    """Puts `text` at `path`, whole or not at all, for its owner only."""
    handle, name = tempfile.mkstemp(suffix=".new", dir=path.parent)  # is created with mode 0600
    new = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.utime(new, (until, until))
        new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise
