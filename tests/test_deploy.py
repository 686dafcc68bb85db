"""The examples in deploy/, checked by the programmes they are for, where these are installed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tempmail.catalogue import OPTIONS
from tempmail.core.limits import Limits
from tests.certificates import Authority
from tests.examples import DEPLOY, changed

PATIENCE = 60.0
# Those of our environment, and those that Debian keeps where only root looks.
PATH = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
MOST_EXPOSED = 2.0
"""What `systemd-analyze security` may say at most; it calls everything below SAFE."""


class DeployTestCase(SynchronousTestCase):
    """A directory to put changed copies of the examples into."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="tempmail-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def copy(self, name: str, *changes: tuple[str, str]) -> Path:
        """A copy of an example."""
        return changed(name, self.directory, *changes)

    def certificates(self) -> Path:
        """A directory with what certbot would have put there."""
        issued = Authority().issue("mail.example.org")
        directory = self.directory / "live"
        directory.mkdir()
        (directory / "fullchain.pem").write_bytes(issued.chain)
        (directory / "privkey.pem").write_bytes(issued.key)
        return directory

    def run_tool(self, tool: str, *arguments: object) -> str:
        """What a programme says; it has to end with 0. Skips where it is not installed."""
        found = shutil.which(tool, path=PATH)
        if found is None:
            raise SkipTest(f"{tool} is not installed")
        ended = subprocess.run(
            [found, *map(str, arguments)],
            cwd=self.directory,
            env={**os.environ, "HOME": str(self.directory), "PATH": PATH},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        self.assertEqual(ended.returncode, 0, ended.stdout)
        return ended.stdout


class ProxyTests(DeployTestCase):
    """What stands before the server."""

    def test_haproxy(self) -> None:
        """HAProxy takes the example without a warning."""
        live = self.certificates()
        both = (live / "fullchain.pem").read_bytes() + (live / "privkey.pem").read_bytes()
        (self.directory / "both.pem").write_bytes(both)
        path = self.copy("haproxy.cfg", ("/etc/haproxy/certificates", f"{self.directory}/both.pem"))
        self.assertNotIn("WARNING", self.run_tool("haproxy", "-c", "-f", path))

    def test_caddy(self) -> None:
        """Caddy takes the example."""
        self.run_tool(
            "caddy", "validate", "--adapter", "caddyfile", "--config", DEPLOY / "Caddyfile"
        )

    def test_nginx(self) -> None:
        """nginx takes both examples, the one for SMTP where it can do streams."""
        live = self.certificates()
        web = self.copy("nginx.conf", ("/etc/letsencrypt/live/mail.example.org", str(live)))
        stream = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
        main = [f"pid {self.directory}/pid;", "error_log stderr;", "events {}"]
        main.append(f"http {{ include {web}; }}")
        if stream.exists():
            main.insert(0, f"load_module {stream};")
            main.append(f"stream {{ include {DEPLOY}/nginx-stream.conf; }}")
        path = self.directory / "main.conf"
        path.write_text("\n".join(main))
        self.assertNotIn("[warn]", self.run_tool("nginx", "-t", "-c", path))


class SystemdTests(DeployTestCase):
    """The units."""

    def test_units(self) -> None:
        """systemd finds nothing wrong, with the sockets of TLS and without."""
        units = [
            self.copy(path.name, ("/opt/tempmail/bin/twistd", "/bin/true"))
            if path.suffix == ".service"
            else self.copy(path.name)
            for path in sorted([*DEPLOY.glob("*.service"), *DEPLOY.glob("*.socket")])
        ]
        self.assertEqual(len(units), 6)
        self.run_tool("systemd-analyze", "verify", "--man=no", *units)
        beside = self.directory / "tempmail.service.d"
        beside.mkdir()
        shutil.copy(DEPLOY / "tempmail-tls.conf", beside / "tls.conf")
        self.run_tool("systemd-analyze", "verify", "--man=no", *units)

    def test_exposure(self) -> None:
        """What the service could do beyond its purpose is little."""
        unit = DEPLOY / "tempmail.service"
        said = self.run_tool("systemd-analyze", "security", "--offline=true", "--no-pager", unit)
        found = re.search(r"Overall exposure level .*: ([0-9.]+)", said)
        assert found is not None, said
        self.assertLess(float(found[1]), MOST_EXPOSED)

    def test_files(self) -> None:
        """The unit allows as many files as the default limits need."""
        text = (DEPLOY / "tempmail.service").read_text()
        limits = Limits()
        found = re.search(r"^LimitNOFILE=(\d+)$", text, re.M)
        assert found is not None
        self.assertGreater(int(found[1]), limits.max_connections + limits.max_http_connections)

    def test_names(self) -> None:
        """The sockets' names are those the configuration asks for."""
        text = (DEPLOY / "tempmail.toml").read_text()
        for protocol in ("smtp", "smtps", "http", "https", "admin"):
            self.assertRegex(text, rf'{protocol} = \["systemd:domain=INET6?:name={protocol}"\]')
            socket = (DEPLOY / f"tempmail-{protocol}.socket").read_text()
            self.assertIn(f"FileDescriptorName={protocol}\n", socket)

    def test_no_network(self) -> None:
        """Without a network of its own the server is asked for no port but those handed over."""
        self.assertIn("\nPrivateNetwork=yes\n", (DEPLOY / "tempmail.service").read_text())
        text = (DEPLOY / "tempmail.toml").read_text()
        document = tomllib.loads(_commented_in(text))
        for protocol in ("smtp", "smtps", "http", "https", "admin"):
            for endpoint in document[protocol]:
                self.assertRegex(endpoint, "^systemd:")

    def test_admin(self) -> None:
        """Figures and probes are for this machine alone, and for those who enable them."""
        socket = (DEPLOY / "tempmail-admin.socket").read_text()
        self.assertEqual(re.findall("^ListenStream=(.*)", socket, re.M), ["127.0.0.1:9090"])
        self.assertNotIn("tempmail-admin", (DEPLOY / "tempmail.service").read_text())


class OptionsTests(SynchronousTestCase):
    """Options in the examples exist."""

    def assert_options(self, names: set[str]) -> None:
        self.assertEqual(names - set(OPTIONS) - {"config"}, set())

    def test_configuration(self) -> None:
        """Those of the configuration, the ones that are commented out as well."""
        text = (DEPLOY / "tempmail.toml").read_text()
        document = tomllib.loads(_commented_in(text))
        self.assertIn("tls-certificate", document)
        self.assert_options(set(document))

    def test_elsewhere(self) -> None:
        """Those that comments, units and containers speak of."""
        for name in ("compose.yaml", "haproxy.cfg", "nginx.conf", "nginx-stream.conf", "Caddyfile"):
            text = (DEPLOY / name).read_text()
            lines = [line for line in text.splitlines() if "docker compose" not in line]
            self.assert_options(set(re.findall(r"(?<!\S)(?:- )?--([a-z-]+)", "\n".join(lines))))


class OtherTests(DeployTestCase):
    """Zone, Dockerfile, and certbot's hook."""

    def test_zone(self) -> None:
        """BIND takes the zone."""
        self.run_tool("named-checkzone", "example.org", DEPLOY / "example.org.zone")

    def test_dockerfile(self) -> None:
        """hadolint has no complaint."""
        self.run_tool("hadolint", DEPLOY / "Dockerfile")

    def test_context(self) -> None:
        """What the Dockerfile copies is what its ignore file lets through, and is there."""
        text = (DEPLOY / "Dockerfile").read_text()
        copied = [line.split()[1:-1] for line in re.findall(r"^COPY (?!--).*", text, re.M)]
        wanted = {name for names in copied for name in names}
        ignored = (DEPLOY / "Dockerfile.dockerignore").read_text()
        self.assertEqual(wanted, set(re.findall(r"^!(.*)", ignored, re.M)))
        self.assertEqual([name for name in wanted if not (DEPLOY.parent / name).exists()], [])

    def test_hook(self) -> None:
        """certbot's hook copies both files, readable for the group and nobody else."""
        live = self.certificates()
        to = self.directory / "to"
        command = shlex.join(["sh", str(DEPLOY / "certbot-hook")])
        variables = {
            "RENEWED_LINEAGE": str(live),
            "TEMPMAIL_TLS_DIRECTORY": str(to),
            "TEMPMAIL_TLS_GROUP": str(os.getgid()),
        }
        for _ in range(2):
            subprocess.run(
                ["sh", "-c", command], env={**os.environ, **variables}, check=True, timeout=PATIENCE
            )
            copied = sorted((to / "live").iterdir())
            self.assertEqual([path.name for path in copied], ["fullchain.pem", "privkey.pem"])
            for path in copied:
                self.assertEqual(path.read_bytes(), (live / path.name).read_bytes())
                self.assertEqual(path.stat().st_mode & 0o777, 0o640)
            self.assertEqual((to / "live").stat().st_mode & 0o777, 0o750)


def _commented_in(text: str) -> str:
    """A configuration with everything it only offers."""
    return re.sub(r"^# (?=[a-z-]+ = )", "", text, flags=re.M)
