"""The command line and the configuration file -> Settings.

Every mistake ends as one line that names the option, what was written and what was expected.
"""

from __future__ import annotations

import difflib
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from twisted.python import usage

from tempmail import __version__
from tempmail.catalogue import OPTIONS, Option
from tempmail.settings import BadSetting, Settings, build
from tempmail.values import read_path


class Options(usage.Options):
    """What stands behind ``twistd tempmail``.

    There is a method ``opt_NAME`` for every entry of :data:`~tempmail.catalogue.OPTIONS`.
    """

    synopsis = "[options]"
    longdesc = (
        "Receives mail for short-lived addresses by SMTP and hands it out by HTTP. Sizes take K, "
        "M and G; times take s, m, h and d; see docs/running.md."
    )

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.given: dict[str, list[str]] = {}
        self.config: Path | None = None
        self.settings: Settings | None = None

    def opt_version(self) -> None:
        """Display the version and exit."""
        print(f"tempmail {__version__}")
        raise SystemExit(0)

    def opt_config(self, text: str) -> None:
        """A TOML file with the same names as here; what is given here wins."""
        try:
            self.config = read_path(text)
        except ValueError as error:
            raise usage.UsageError(f"--config: {text!r}: {error}") from None

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Read the command line, or end the process with one line and exit code 1.

        twistd answers a UsageError with pages of help above the line that matters.
        """
        try:
            super().parseOptions(options)  # type: ignore[no-untyped-call]
        except usage.UsageError as error:
            raise SystemExit(f"tempmail: {_with_suggestion(str(error))}") from None
        except BadSetting as error:
            raise SystemExit(f"tempmail: {error}") from None

    def parseArgs(self, *arguments: str) -> None:
        """Nothing stands behind the options; a value that lost its option does."""
        if arguments:
            raise usage.UsageError(f"{arguments[0]!r} belongs to no option")

    def postOptions(self) -> None:
        """Keep the settings for whoever builds the service."""
        self.settings = self.read()

    def read(self) -> Settings:
        """The settings as command line and file say now; raises :exc:`BadSetting`."""
        values = {} if self.config is None else _read_file(self.config)
        for name, texts in self.given.items():
            option = OPTIONS[name]
            written = texts if option.repeatable else texts[-1]
            values[name] = True if option.is_flag else _read(option, written, f"--{name}")
        return build(values)


def from_environment(environ: Mapping[str, str]) -> Options:
    """Options written in ``TEMPMAIL_OPTIONS`` as on a command line, for the .tac file."""
    options = Options()
    try:
        written = shlex.split(environ.get("TEMPMAIL_OPTIONS", ""))
    except ValueError as error:
        raise SystemExit(f"tempmail: TEMPMAIL_OPTIONS: {error}") from None
    options.parseOptions(written)
    return options


def _read_file(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSetting(f"--config {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise BadSetting(f"{path} is not TOML: {error}") from None
    values = {}
    for key, value in document.items():
        name = key.replace("_", "-")
        if name not in OPTIONS:
            raise BadSetting(f"{path}: there is no {key!r}{_suggestion(name)}")
        values[name] = _read(OPTIONS[name], value, f"{path}: {key}")
    return values


def _read(option: Option, value: Any, where: str) -> Any:
    if option.repeatable:
        each = value if isinstance(value, list) else [value]
        return tuple(_read_one(option, item, where) for item in each)
    return _read_one(option, value, where)


def _read_one(option: Option, value: Any, where: str) -> Any:
    try:
        return option.read(value)
    except ValueError as error:
        raise BadSetting(f"{where}: {value!r}: {error}") from None


def _with_suggestion(complaint: str) -> str:
    """What getopt says of an unknown option, and the option that was perhaps meant."""
    words = complaint.split()
    if complaint.endswith("not recognized") and words[1].startswith("--"):
        return f"there is no option {words[1]}{_suggestion(words[1][2:], '--')}"
    return complaint


def _suggestion(name: str, dashes: str = "") -> str:
    nearest = difflib.get_close_matches(name, [*OPTIONS, "config", "help", "version"], 1)
    return f"; did you mean {dashes}{nearest[0]}?" if nearest else ""


def _add_to_command_line(option: Option) -> None:
    def take(self: Options, text: str) -> None:
        self.given.setdefault(option.name, []).append(text)

    def set_flag(self: Options) -> None:
        self.given[option.name] = [""]

    method = set_flag if option.is_flag else take
    method.__doc__ = option.help
    setattr(Options, "opt_" + option.name.replace("-", "_"), method)


for _option in OPTIONS.values():
    _add_to_command_line(_option)
