"""The examples of deploy/ in front of a real server: mail comes through, and so do long polls."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from pathlib import Path
from smtplib import SMTP

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.certificates import Authority
from tests.examples import changed
from tests.live.daemon import PATIENCE, Daemon, free_port, mail

LOCAL = "tcp:0:interface=127.0.0.1"
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
NAME = "mail.example.org"


class ProxyTests(SynchronousTestCase):
    """One test for each programme."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="tempmail-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        # Workers of nginx are somebody else.
        self.directory.chmod(0o755)
        self.authority = Authority()
        issued = self.authority.issue(NAME)
        for name, octets in (("fullchain.pem", issued.chain), ("privkey.pem", issued.key)):
            (self.directory / name).write_bytes(octets)
        (self.directory / "both.pem").write_bytes(issued.chain + issued.key)
        self.context = ssl.create_default_context(cadata=self.authority.pem.decode())

    def daemon(self) -> Daemon:
        """A server that takes mail directly, and by a proxy at the port ``proxied``."""
        self.proxied = free_port()
        proxied = f"haproxy:tcp:{self.proxied}:interface=127.0.0.1"
        daemon = Daemon("--tls=self-signed", smtp=(LOCAL, proxied))
        daemon.start()
        self.addCleanup(daemon.stop)
        return daemon

    def config(self, name: str, *changes: tuple[str, str]) -> Path:
        """An example with places of ours in it."""
        return changed(name, self.directory, *changes)

    def run_proxy(self, tool: str, *arguments: object, port: int) -> None:
        """Start a proxy in the foreground; returns when it listens."""
        found = shutil.which(tool, path=PATH)
        if found is None:
            raise SkipTest(f"{tool} is not installed")
        log = (self.directory / "log").open("wb")
        self.addCleanup(log.close)
        process = subprocess.Popen(
            [found, *map(str, arguments)],
            env={"HOME": str(self.directory), "PATH": PATH},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        self.addCleanup(process.wait, PATIENCE)
        self.addCleanup(process.terminate)
        until = time.monotonic() + PATIENCE
        with socket.socket() as tried:
            while tried.connect_ex(("127.0.0.1", port)):
                said = (self.directory / "log").read_text()
                assert process.poll() is None, said
                assert time.monotonic() < until, said
                time.sleep(0.02)

    def assert_serves(self, connection: http.client.HTTPConnection, smtp: int) -> None:
        """A mail by the proxy's SMTP, STARTTLS passed through, answers a poll by its HTTP."""

        def ask(method: str, path: str, token: str = "") -> dict[str, str]:
            headers = {"Host": NAME, "Authorization": f"Bearer {token}"} if token else {}
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            answer = response.read()
            self.assertLess(response.status, 300, answer)
            document: dict[str, str] = json.loads(answer)
            return document

        minted = ask("POST", "/v1/mailboxes")
        strangers = ssl.create_default_context()
        strangers.check_hostname, strangers.verify_mode = False, ssl.CERT_NONE
        with SMTP("127.0.0.1", smtp, timeout=PATIENCE) as client:
            client.starttls(context=strangers)
            client.send_message(mail(minted["address"], "Through"))
        path = f"/v1/mailboxes/{minted['address']}/messages?wait=20"
        self.assertIn("Through", json.dumps(ask("GET", path, minted["token"])))
        connection.close()

    def assert_streams(self, connection: http.client.HTTPConnection, daemon: Daemon) -> None:
        """An event reaches the client as it happens, not when the stream ends."""
        address, token = daemon.mint()
        path = f"/v1/mailboxes/{address}/events"
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        self.assertEqual(response.status, 200)
        with SMTP("127.0.0.1", daemon.smtp, timeout=PATIENCE) as client:
            client.send_message(mail(address, "An event"))
        while b"An event" not in (line := response.readline()):
            self.assertTrue(line, "the stream ended")
        response.close()
        connection.close()

    def secure(self, port: int) -> http.client.HTTPSConnection:
        """HTTPS to the proxy, which shows the certificate we know."""
        connection = http.client.HTTPSConnection(NAME, port, timeout=PATIENCE)
        plain = socket.create_connection(("127.0.0.1", port), PATIENCE)
        connection.sock = self.context.wrap_socket(plain, server_hostname=NAME)
        return connection

    def test_haproxy(self) -> None:
        """HAProxy says whose connections these are, for SMTP, and encrypts HTTP."""
        daemon = self.daemon()
        smtp, smtps, plain, web = (free_port() for _ in range(4))
        path = self.config(
            "haproxy.cfg",
            ("[::]:25 v4v6", f"127.0.0.1:{smtp}"),
            ("[::]:465 v4v6", f"127.0.0.1:{smtps}"),
            ("[::]:80 v4v6", f"127.0.0.1:{plain}"),
            ("[::]:443 v4v6", f"127.0.0.1:{web}"),
            ("/etc/haproxy/certificates", f"{self.directory}/both.pem"),
            ("127.0.0.1:10025", f"127.0.0.1:{self.proxied}"),
            ("127.0.0.1:8080", f"127.0.0.1:{daemon.http}"),
        )
        self.run_proxy("haproxy", "-db", "-f", path, port=web)
        self.assert_serves(self.secure(web), smtp)
        self.assert_redirects(plain)
        self.assert_streams(self.secure(web), daemon)

    def test_nginx(self) -> None:
        """nginx encrypts HTTP and hands events on at once; with its stream module SMTP as well."""
        module = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
        with_stream = module.exists()
        daemon = self.daemon()
        smtp, plain, web = (free_port() for _ in range(3))
        here = str(self.directory)
        http_part = self.config(
            "nginx.conf",
            ("listen 80;", f"listen 127.0.0.1:{plain};"),
            ("    listen [::]:80;\n", ""),
            ("listen 443 ssl;", f"listen 127.0.0.1:{web} ssl;"),
            ("    listen [::]:443 ssl;\n", ""),
            ("/etc/letsencrypt/live/mail.example.org", here),
            ("server 127.0.0.1:8080", f"server 127.0.0.1:{daemon.http}"),
        )
        bodies = [f"{kind}_temp_path {here}/{kind};" for kind in _TEMPORARY]
        main = [f"pid {here}/pid;", "error_log stderr;", "events {}", "daemon off;"]
        main.append(f"http {{ {' '.join(bodies)} include {http_part}; }}")
        if with_stream:
            stream = self.config(
                "nginx-stream.conf",
                ("listen 25;", f"listen 127.0.0.1:{smtp};"),
                ("    listen [::]:25;\n", ""),
                ("127.0.0.1:10025", f"127.0.0.1:{self.proxied}"),
            )
            main.insert(0, f"load_module {module};")
            main.append(f"stream {{ include {stream}; }}")
        path = self.directory / "main.conf"
        path.write_text("\n".join(main))
        self.run_proxy("nginx", "-c", path, port=web)
        self.assert_serves(self.secure(web), smtp if with_stream else daemon.smtp)
        self.assert_redirects(plain)
        self.assert_streams(self.secure(web), daemon)

    def test_caddy(self) -> None:
        """Caddy hands everything on at once; its own certificates need the world."""
        daemon = self.daemon()
        web = free_port()
        ours = "{\n\tadmin off\n\tdefault_bind 127.0.0.1\n\tgrace_period 1s\n}\n"
        path = self.config(
            "Caddyfile",
            (f"{NAME} {{", f"{ours}http://:{web} {{"),
            ("reverse_proxy 127.0.0.1:8080", f"reverse_proxy 127.0.0.1:{daemon.http}"),
        )
        self.run_proxy("caddy", "run", "--adapter", "caddyfile", "--config", path, port=web)
        connection = http.client.HTTPConnection("127.0.0.1", web, timeout=PATIENCE)
        self.assert_serves(connection, daemon.smtp)
        self.assert_streams(connection, daemon)

    def assert_redirects(self, port: int) -> None:
        """Plain HTTP leads to HTTPS."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.request("GET", "/", headers={"Host": NAME})
        response = connection.getresponse()
        response.read()
        self.assertEqual((response.status, response.headers["Location"]), (301, f"https://{NAME}/"))
        connection.close()


_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
