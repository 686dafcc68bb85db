"""The command line and the configuration file: tables of what is written and what comes of it."""

from __future__ import annotations

import inspect
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, get_args

import attrs
from limits import parse
from twisted.trial.unittest import SynchronousTestCase

from tempmail.catalogue import OPTIONS
from tempmail.core.domains import Mode
from tempmail.core.limits import MEGA, UNLIMITED, Limits
from tempmail.options import Options, from_environment
from tempmail.rates import Rate
from tempmail.settings import BadSetting, Settings


class OptionsTestCase(SynchronousTestCase):
    """Reading, and the one line that a mistake ends with."""

    def parse(self, *arguments: str) -> Settings:
        options = Options()
        options.parseOptions(arguments)
        assert options.settings is not None
        return options.settings

    def complaint(self, *arguments: str) -> str:
        ended = self.assertRaises(SystemExit, Options().parseOptions, arguments)
        assert isinstance(ended.code, str)
        self.assertTrue(ended.code.startswith("tempmail: "), ended.code)
        self.assertNotIn("\n", ended.code)
        return ended.code.removeprefix("tempmail: ")

    def file(self, text: str) -> str:
        path = Path(self.mktemp()).absolute()
        path.write_text(text, encoding="utf-8")
        return str(path)


_TEN = IPv4Network("10.0.0.1")

# One row an option: arguments, the part of the settings, what it is then.
_COMMAND_LINES: list[tuple[str, str, Any]] = [
    ("--smtp tcp:25", "smtp", ("tcp:25",)),
    ("--smtp tcp:25 --smtp tcp6:25", "smtp", ("tcp:25", "tcp6:25")),
    ("--smtps tcp6:465 --tls self-signed", "smtps", ("tcp6:465",)),
    ("--https tcp6:443 --tls-certificate /c.pem", "https", ("tcp6:443",)),
    ("--http unix:/run/x.sock", "http", ("unix:/run/x.sock",)),
    ("--hostname MX.Example.ORG", "hostname", "mx.example.org"),
    ("--tls self-signed", "self_signed", True),
    ("--tls-certificate /c.pem", "certificate_files", ((Path("/c.pem"), None),)),
    ("--tls-certificate /c.pem --tls-key /k.pem", "keys", (Path("/k.pem"),)),
    (
        "--tls-certificate /a --tls-certificate /b --tls-key /ak --tls-key /bk",
        "certificate_files",
        ((Path("/a"), Path("/ak")), (Path("/b"), Path("/bk"))),
    ),
    ("--operator-token-file /t", "operator_token_file", Path("/t")),
    ("--snapshot /s", "snapshot", Path("/s")),
    ("--base-path /mail/", "base_path", "/mail"),
    ("--base-path /", "base_path", ""),
    ("--access-log", "access_log", True),
    ("--trusted-proxy 10.0.0.1 --trusted-proxy unix", "trusted_proxies", (_TEN, None)),
    ("--exempt-client 10.0.0.1", "exempt_clients", (_TEN,)),
    ("--exempt-client none", "exempt_clients", ()),
    ("--exempt-client 2001:db8::1/64", "exempt_clients", (IPv6Network("2001:db8::/64"),)),
    ("--blocked-senders /b", "blocked_senders", Path("/b")),
    ("--dnsbl zen.example.org --dnsbl bl.test", "dnsbls", ("zen.example.org", "bl.test")),
    ("--dns-server 192.0.2.53", "dns_server", ("192.0.2.53", 53)),
    ("--dns-server 127.0.0.1:5353", "dns_server", ("127.0.0.1", 5353)),
    ("--dns-server 2001:db8::53", "dns_server", ("2001:db8::53", 53)),
    ("--mint-rate 500/minute", "limits.mint_rate", parse("500/minute")),
    ("--mint-rate unlimited", "limits.mint_rate", None),
    ("--tarpit 0", "limits.tarpit", 0),
    ("--cors-origin https://a.test --cors-origin *", "cors_origins", ("https://a.test", "*")),
    ("--site-name Post", "site_name", "Post"),
    ("--notice Gently!", "notice", "Gently!"),
    ("--imprint https://a.test/us", "imprint", "https://a.test/us"),
    ("--abuse-contact abuse@a.test", "abuse_contact", "abuse@a.test"),
    ("--accent-colour #0B6B50", "accent_colour", "#0b6b50"),
    ("--accent-colour #f0c", "accent_colour", "#ff00cc"),
    ("--memory 512M", "limits.memory", 512 * MEGA),
    ("--memory 2g", "limits.memory", 2048 * MEGA),
    ("--memory 200MiB", "limits.memory", 200 * MEGA),
    ("--max-message-size 1048576", "limits.max_message_size", MEGA),
    ("--max-messages unlimited", "limits.max_messages", UNLIMITED),
    ("--lifetime 90", "limits.default_lifetime", 90),
    ("--lifetime 90s", "limits.default_lifetime", 90),
    ("--lifetime 15m", "limits.default_lifetime", 900),
    ("--lifetime 1.5h", "limits.default_lifetime", 5400),
    ("--max-lifetime 3650d", "limits.max_lifetime", 3650 * 86400),
    ("--max-lifetime 7d", "limits.max_lifetime", 7 * 86400),
    ("--quarantine 0", "limits.quarantine", 0),
    ("--idle-timeout 0.5", "limits.idle_timeout", 0.5),
    ("--max-errors 3 --max-errors 4", "limits.max_errors", 4),
    ("--unlimited", "limits.max_connections", UNLIMITED),
    ("--unlimited --max-connections 7", "limits.max_connections", 7),
    *(("--unlimited", f"limits.{rate}", None) for rate in get_args(Rate)),
    ("--unlimited", "limits.max_waits_per_client", UNLIMITED),
    ("--unlimited", "limits.memory_share", UNLIMITED),
    ("--smtp-login any", "any_login", True),
    ("", "any_login", False),
    ("--unlimited --mint-rate 7/hour", "limits.mint_rate", parse("7/hour")),
]

_MISTAKES = [
    ("--domian a.test", "there is no option --domian; did you mean --domain?"),
    ("--zzz", "there is no option --zzz"),
    ("--max-errors many", "--max-errors: 'many': expected a whole number, or unlimited"),
    ("--max-errors -1", "--max-errors: '-1': expected a whole number, or unlimited"),
    ("--memory lots", "--memory: 'lots': expected a size in octets"),
    ("--lifetime soon", "--lifetime: 'soon': expected a time in seconds"),
    (f"--lifetime {'9' * 400}", "expected a time of no more than 3650d"),
    (f"--idle-timeout {'9' * 400}", "expected a time of no more than 3650d"),
    ("--max-lifetime 99999999999999999999999d", "expected a time of no more than 3650d"),
    ("--max-lifetime 3651d", "expected a time of no more than 3650d"),
    ("--max-message-size 999999999999999999T", "expected a size in octets"),
    (f"--memory {'9' * 400}", "expected a size in octets"),
    (f"--memory {'9' * 5000}", "expected a size in octets"),
    (f"--max-errors {'9' * 400}", "expected a whole number, or unlimited"),
    (f"--max-errors {'9' * 5000}", "expected a whole number, or unlimited"),
    ("--lifetime 0.5", "--lifetime: '0.5': expected whole seconds"),
    ("--domain a.test:open", "--domain: 'a.test:open': 'open' is no mode"),
    ("--domain a..test", "--domain: 'a..test':"),
    ("--domain a.test --domain A.test", "--domain a.test is given twice"),
    ("--tls yes", "--tls: 'yes': expected self-signed"),
    ("--tls-key /k.pem", "--tls-key needs --tls-certificate"),
    ("--https tcp:443", "--https needs --tls-certificate"),
    ("--tls-certificate /a --tls-certificate /b --tls-key /k", "2 times and --tls-key 1 times"),
    ("--tls self-signed --tls-certificate /c", "exclude each other"),
    ("--base-path mail", "--base-path: 'mail': expected a path like /mail"),
    ("--base-path /a/../b", "expected a path like /mail"),
    ("--cors-origin app.test", "expected an origin like https://app.example"),
    ("--accent-colour green", "--accent-colour: 'green': expected a colour like #0b6b50"),
    ("--accent-colour #12345", "--accent-colour: '#12345': expected a colour like #0b6b50"),
    ("--site-name a\x07b", "--site-name: 'a\\x07b': expected text of one line"),
    ("--max-message-size 200M", "--max-message-size 209715200 is more than --max-mailbox-size"),
    ("--memory 1K", "--memory 1024 holds next to nothing; 1M is the least"),
    ("--memory 64M --max-message-size 20M", "is more than a quarter of --memory"),
    ("--lifetime 2d", "--lifetime 172800 is more than --max-lifetime 86400"),
    ("--min-lifetime 1h", "--min-lifetime 3600 is more than --lifetime 600"),
    ("--max-connections 0", "--max-connections: 0 leaves nothing"),
    ("--mint-rate 60", "--mint-rate: '60': expected a rate like 60/minute"),
    ("--mint-rate 0/minute", "--mint-rate: '0/minute': expected a rate"),
    (f"--mint-rate 1/{'9' * 400}minutes", "expected a rate"),
    ("--mint-rate 1/fortnight", "--mint-rate: '1/fortnight': expected a rate"),
    ("--mint-rate 1/second;9/minute", "--mint-rate: '1/second;9/minute': expected a rate"),
    ("--trusted-proxy proxy.test", "--trusted-proxy: 'proxy.test': expected an IP address"),
    ("--exempt-client 10.0.0.0/33", "--exempt-client: '10.0.0.0/33': expected an IP address"),
    ("--dns-server 192.0.2.53:99999", "--dns-server: '192.0.2.53:99999': expected an IP"),
    ("--dns-server 192.0.2.53:0", "--dns-server: '192.0.2.53:0': expected an IP address"),
    ("--snapshot ~nobody-here/x", "--snapshot: '~nobody-here/x': there is no home of"),
    ("--config ~nobody-here/x", "--config: '~nobody-here/x': there is no home of"),
    ("--config=", "--config: '': expected text"),
    ("--dns-server ns.test", "--dns-server: 'ns.test': expected an IP address"),
    ("--behind-proxy", "there is no option --behind-proxy"),
    ("--unlimited=yes", "option --unlimited must not have an argument"),
    ("--smtp", "option --smtp requires argument"),
    ("stray", "'stray' belongs to no option"),
    ("--config /nowhere/x.toml", "--config /nowhere/x.toml: No such file"),
]

_FILES: list[tuple[str, str, Any]] = [
    ('smtp = "tcp:25"', "smtp", ("tcp:25",)),
    ('smtp = ["tcp:25", "tcp6:25"]', "smtp", ("tcp:25", "tcp6:25")),
    ('site-name = " Post & Co "', "site_name", "Post & Co"),
    ('notice = """Two\nlines."""', "notice", "Two\nlines."),
    ("max-errors = 3", "limits.max_errors", 3),
    ("max_errors = 3", "limits.max_errors", 3),
    ('memory = "512M"', "limits.memory", 512 * MEGA),
    ("lifetime = 60", "limits.default_lifetime", 60),
    ('lifetime = "1m"', "limits.default_lifetime", 60),
    ("idle-timeout = 1.5", "limits.idle_timeout", 1.5),
    ('mint-rate = "10 per 5 seconds"', "limits.mint_rate", parse("10/5 seconds")),
    ('trusted-proxy = ["10.0.0.1"]', "trusted_proxies", (_TEN,)),
    ("unlimited = true", "limits.max_errors", UNLIMITED),
    ("unlimited = false", "limits.max_errors", Limits().max_errors),
]

_FILE_MISTAKES = [
    ('imprint = """Two\nlines."""', "imprint: 'Two\\nlines.': expected text of one line"),
    ("accent-colour = 0", "accent-colour: 0: expected a colour like #0b6b50"),
    ("max-erors = 3", "there is no 'max-erors'; did you mean max-errors?"),
    ("max-errors = true", "max-errors: True: expected a whole number"),
    ("max-errors = [3]", "max-errors: [3]: expected a whole number"),
    ("lifetime = -1", "lifetime: -1: expected a time"),
    ("lifetime = inf", "lifetime: inf: expected a time"),
    ("smtp = 25", "smtp: 25: expected text"),
    ("smtp = []", "--smtp: at least one"),
    ("domain = []", "--domain: at least one"),
    ('unlimited = "yes"', "unlimited: 'yes': expected true or false"),
    ("domain = ", "is not TOML: "),
    (r'snapshot = "/a\u0000b"', r"snapshot: '/a\x00b': expected text without NUL"),
    (r'smtp = "unix:/a\u0000b"', r"smtp: 'unix:/a\x00b': expected text without NUL"),
    (f"domain = {'[' * 5000}", "is not TOML: "),
    (f"lifetime = {'9' * 400}", "expected a time"),
    (f"lifetime = {'9' * 5000}", "is not TOML: "),
    ('mint-rate = "5 per 0 minutes"', "mint-rate: '5 per 0 minutes': expected a rate"),
]


class CommandLineTests(OptionsTestCase):
    """What stands on the command line."""

    def test_values(self) -> None:
        """Each option sets its part of the settings, read in its unit; the last one wins."""
        for line, part, value in _COMMAND_LINES:
            with self.subTest(line):
                self.assertEqual(_part(self.parse(*line.split()), part), value)

    def test_mistakes(self) -> None:
        """Each mistake is one line naming option, value and what was expected."""
        for line, complaint in _MISTAKES:
            with self.subTest(line):
                self.assertIn(complaint, self.complaint(*line.split()))

    def test_nothing(self) -> None:
        """Without options everything is served on this machine alone, for one test domain."""
        settings = self.parse()
        self.assertEqual([str(one) for one in settings.domains.domains], ["tempmail.test"])
        self.assertEqual(settings.smtp, ("tcp:2525:interface=127.0.0.1",))
        self.assertEqual(settings.http, ("tcp:8080:interface=127.0.0.1",))

    def test_domains(self) -> None:
        """Domains are repeated, each with its own mode."""
        settings = self.parse(
            *("--domain", "a.test", "--domain", "b.test:catch-all"),
            *("--domain", "*.b.test:catch-all"),
        )
        found = [(str(domain), domain.mode) for domain in settings.domains.domains]
        self.assertEqual(
            found,
            [("a.test", Mode.MINTED), ("b.test", Mode.CATCH_ALL), ("*.b.test", Mode.CATCH_ALL)],
        )

    def test_small_memory(self) -> None:
        """A machine too small for the default message size takes smaller mail."""
        limits = self.parse("--memory", "40M").limits
        self.assertEqual(limits.max_message_size, 10 * MEGA)

    def test_relative_files(self) -> None:
        """File names are absolute from the start, since twistd changes its directory."""
        settings = self.parse("--operator-token-file", "token")
        self.assertEqual(settings.operator_token_file, Path.cwd() / "token")

    def test_environment(self) -> None:
        """The .tac file's options are written as on a command line."""
        options = from_environment({"TEMPMAIL_OPTIONS": "--max-errors 3 --domain '*.a.test'"})
        assert options.settings is not None
        self.assertEqual(options.settings.limits.max_errors, 3)
        self.assertEqual(str(options.settings.domains.domains[0]), "*.a.test")
        self.assertEqual(from_environment({}).settings, self.parse())

    def test_mistaken_environment(self) -> None:
        """A quote in them that is not closed is one line as well."""
        ended = self.assertRaises(SystemExit, from_environment, {"TEMPMAIL_OPTIONS": '--smtp "tcp'})
        self.assertEqual(ended.code, "tempmail: TEMPMAIL_OPTIONS: No closing quotation")


class FileTests(OptionsTestCase):
    """What stands in the TOML file."""

    def test_values(self) -> None:
        """The file knows the same names; numbers are TOML's or the command line's texts."""
        for text, part, value in _FILES:
            with self.subTest(text):
                self.assertEqual(_part(self.parse("--config", self.file(text)), part), value)

    def test_mistakes(self) -> None:
        """A mistake in the file is one line as well, and names the file."""
        for text, complaint in _FILE_MISTAKES:
            with self.subTest(text):
                self.assertIn(complaint, self.complaint("--config", self.file(text)))

    def test_precedence(self) -> None:
        """What the command line says wins, a repeatable option as a whole."""
        path = self.file('domain = ["a.test", "b.test"]\nmax-errors = 3\nmax-commands = 5\n')
        settings = self.parse("--config", path, "--domain", "c.test", "--max-errors", "4")
        self.assertEqual([str(one) for one in settings.domains.domains], ["c.test"])
        self.assertEqual(settings.limits.max_errors, 4)
        self.assertEqual(settings.limits.max_commands, 5)

    def test_reading_again(self) -> None:
        """The file is read anew each time; a mistake is an error that can be caught."""
        path = self.file("max-errors = 3")
        options = Options()
        options.parseOptions(["--config", path])
        Path(path).write_text("max-errors = 4")
        self.assertEqual(options.read().limits.max_errors, 4)
        Path(path).write_text("max-errors = 'x'")
        self.assertRaises(BadSetting, options.read)


class TableTests(SynchronousTestCase):
    """The table of options."""

    def test_every_limit_is_an_option(self) -> None:
        """A field of Limits is an option of its name, with unit and default in its help."""
        parts = {option.part: option for option in OPTIONS.values() if option.is_limit}
        self.assertEqual(set(parts), {limit.name for limit in attrs.fields(Limits)})
        self.assertIn("[octets, default 25M]", parts["max_message_size"].help)
        self.assertIn("[seconds, default 600]", parts["default_lifetime"].help)
        self.assertIn("[rate, default 120/minute]", parts["mint_rate"].help)

    def test_every_part_is_an_option(self) -> None:
        """Nothing in the settings can not be set."""
        parts = {option.part for option in OPTIONS.values() if not option.is_limit}
        fields = {each.name for each in attrs.fields(Settings)}
        self.assertEqual(parts - {"unlimited"}, fields - {"limits"})

    def test_help(self) -> None:
        """--help names every option."""
        text = Options().getUsage()
        for name in OPTIONS:
            self.assertIn(f"--{name}", text)

    def test_documented(self) -> None:
        """docs/running.md names every option."""
        page = Path(inspect.getfile(Options)).parents[1] / "docs" / "running.md"
        text = page.read_text(encoding="utf-8")
        self.assertEqual([name for name in OPTIONS if f"`{name}`" not in text], [])


def _part(settings: Settings, name: str) -> Any:
    value: Any = settings
    for step in name.split("."):
        value = getattr(value, step)
    return value
