"""The real twistd: how it starts, receives, answers, reloads and ends."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path
from smtplib import SMTP

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.live.daemon import (
    PATIENCE,
    ROOT,
    Asked,
    Daemon,
    environment,
    free_port,
    mail,
    twistd,
    until,
)

_LOCAL = "tcp:0:interface=127.0.0.1"


class DaemonTestCase(SynchronousTestCase):
    """A directory of its own for each test, and daemons that end with it."""

    def setUp(self) -> None:
        # Short, for a socket's name has at most 107 octets; and open to the user we become.
        directory = tempfile.TemporaryDirectory(prefix="tempmail-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.directory.chmod(0o755)

    def daemon(self, *options: str, **more: object) -> Daemon:
        daemon = Daemon(*options, **more)  # type: ignore[arg-type]
        daemon.start()
        self.addCleanup(daemon.stop)
        return daemon

    def file(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.write_text(text, encoding="utf-8")
        return path

    def run_to_end(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A twistd that ends by itself, or puts itself into the background."""
        return subprocess.run(
            twistd(*arguments),
            cwd=self.directory,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def begin_mail(self, daemon: Daemon, address: str) -> SMTP:
        """A client that may send the mail itself, after DATA."""
        client = SMTP("127.0.0.1", daemon.smtp, timeout=PATIENCE)
        self.addCleanup(client.close)
        client.ehlo("client.test")
        client.mail("sender@example.org")
        client.rcpt(address)
        client.docmd("DATA")
        return client

    def assert_delivers(self, daemon: Daemon) -> None:
        """Mail that is sent reaches a client that waits for it."""
        address, token = daemon.mint()
        waiting = daemon.begin_wait(address, token)
        daemon.send(address, "Welcome")
        status, page = waiting.answer()
        self.assertEqual((status, [one["subject"] for one in page["messages"]]), (200, ["Welcome"]))


class StartTests(DaemonTestCase):
    """How it starts, or why it does not."""

    def test_delivers(self) -> None:
        """A mail sent by SMTP answers the long poll; the log keeps who they were to itself."""
        daemon = self.daemon("--access-log")
        self.assert_delivers(daemon)
        address, token = daemon.mint()
        daemon.send(address, "A secret subject")
        daemon.ask("GET", f"/v1/mailboxes/{address}/messages?access_token={token}")
        self.assertEqual(daemon.stop(), 0)
        for secret in (address, token, "A secret subject", "sender@example.org"):
            self.assertNotIn(secret, daemon.log)
        self.assertNotIn("Traceback", daemon.log)

    def test_says_what_it_does(self) -> None:
        """One line tells what listens where, for which domains and with how much memory."""
        daemon = self.daemon(
            "--domain", "a.test", "--domain", "*.b.test:catch-all", "--memory=200M"
        )
        line = daemon.wait_for_line(" listens: ")
        self.assertIn(f"SMTP on 127.0.0.1:{daemon.smtp}, HTTP on 127.0.0.1:{daemon.http}", line)
        self.assertIn("mail for a.test (minted), *.b.test (catch-all); 200 MiB", line)
        daemon.wait_for_line("nobody can read it: no --operator-token-file")

    def test_port_in_use(self) -> None:
        """A port in use is one line, exit code 1 and no pid file left."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            text = f"tcp:{taken.getsockname()[1]}:interface=127.0.0.1"
            ended = self.run_to_end("--nodaemon", "tempmail", f"--smtp={_LOCAL}", f"--http={text}")
        self.assertEqual(
            ended.stderr, f"tempmail: can not listen on {text}: Address already in use\n"
        )
        self.assertEqual(ended.returncode, 1)
        self.assertNotIn("Traceback", ended.stdout)
        self.assertNotIn("can not listen", ended.stdout)
        self.assertEqual(list(self.directory.glob("*.pid")), [])

    def test_port_in_use_in_the_background(self) -> None:
        """The same daemonised: whoever starts it is told, and so is the log."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            text = f"tcp:{taken.getsockname()[1]}:interface=127.0.0.1"
            ended = self.run_to_end("--logfile=log", "tempmail", f"--smtp={text}", "--http", _LOCAL)
        self.assertEqual(ended.returncode, 1)
        # twistd hands no more than 100 octets on.
        self.assertIn(f"can not listen on {text}: Address", ended.stderr)
        log = (self.directory / "log").read_text()
        self.assertIn(f"can not listen on {text}: Address already in use", log)
        # It tells us before it has put everything away.
        until(lambda: not list(self.directory.glob("*.pid")))

    def test_mistakes(self) -> None:
        """What is wrong with options or files is one line on stderr and exit code 1."""
        empty, wordy = self.file("empty", ""), self.file("wordy", "not one word")
        for options, complaint in (
            (["--domian=a.test"], "there is no option --domian; did you mean --domain?"),
            (["--smtp=tpc:25"], "--smtp 'tpc:25' is no endpoint: Unknown endpoint type: 'tpc'"),
            ([f"--operator-token-file={empty}"], f"{empty}: expected one word"),
            ([f"--operator-token-file={wordy}"], f"{wordy}: expected one word"),
            (["--tls-certificate=/nowhere"], "can not read /nowhere: No such file or directory"),
        ):
            with self.subTest(complaint):
                ended = self.run_to_end("--nodaemon", "--pidfile=", "tempmail", *options)
                self.assertIn(complaint, ended.stderr)
                self.assertEqual(ended.stderr.count("\n"), 1)
                self.assertEqual(ended.returncode, 1)

    def test_in_the_background(self) -> None:
        """Daemonised it keeps pid file and log, serves, and takes the pid file back at its end."""
        pidfile, logfile = self.directory / "pid", self.directory / "log"
        started = self.run_to_end(
            *(f"--pidfile={pidfile}", f"--logfile={logfile}", "tempmail"),
            *(f"--smtp=unix:{self.directory}/smtp", f"--http=unix:{self.directory}/http"),
        )
        self.assertEqual((started.returncode, started.stderr), (0, ""))
        pid = int(pidfile.read_text())
        try:
            answer = Asked(UnixConnection(self.directory / "http"), "GET", "/readyz").answer()
            self.assertEqual(answer[0], 200)
        finally:
            os.kill(pid, signal.SIGTERM)
        until(lambda: not pidfile.exists())
        until(lambda: "Server Shut Down" in logfile.read_text())
        self.assertEqual(sorted(path.name for path in self.directory.iterdir()), ["log"])

    def test_tac(self) -> None:
        """``twistd -ny tempmail.tac`` serves the same, with options from the environment."""
        options = f"--smtp {_LOCAL} --http {_LOCAL} --domain tac.test"
        daemon = self.daemon(
            command=twistd("-n", "--pidfile=", "-y", str(ROOT / "tempmail.tac")),
            env=environment(TEMPMAIL_OPTIONS=options),
        )
        address, _ = daemon.mint()
        self.assertTrue(address.endswith("@tac.test"))
        self.assert_delivers(daemon)
        self.assertEqual(daemon.stop(), 0)

    def test_drops_privileges(self) -> None:
        """--uid and --gid hold from the first connection on; keys only root can read are read."""
        if os.geteuid() != 0:
            raise SkipTest("only root can become somebody else: run the tests as root")
        token = self.file("token", "operators-own-token\n")
        token.chmod(0o600)
        nobody, nogroup = pwd.getpwnam("nobody").pw_uid, grp.getgrnam("nogroup").gr_gid
        daemon = self.daemon(
            f"--operator-token-file={token}",
            smtp=[f"tcp:{free_port(range(600, 1000))}:interface=127.0.0.1"],
            twistd_options=["--uid=nobody", "--gid=nogroup"],
        )
        status = Path(f"/proc/{daemon.process.pid}/status").read_text()
        self.assertIn(f"Uid:\t{nobody}\t{nobody}\t{nobody}\t{nobody}\n", status)
        self.assertIn(f"Gid:\t{nogroup}\t{nogroup}\t{nogroup}\t{nogroup}\n", status)
        self.assert_delivers(daemon)
        waiting = daemon.begin_wait("postmaster@tempmail.test", "operators-own-token")
        daemon.send("postmaster@tempmail.test", "A complaint")
        self.assertEqual(waiting.answer()[1]["messages"][0]["subject"], "A complaint")
        self.assertEqual(daemon.stop(), 0)

    def test_no_workers(self) -> None:
        """A Python that --uid may not execute is one error at the start, and it is not ready."""
        if os.geteuid() != 0:
            raise SkipTest("only root can become somebody else: run the tests as root")
        private = self.directory / "private"
        private.mkdir(mode=0o700)
        python = private / "python"
        python.symlink_to(sys.executable)
        options = ("-n", "--pidfile=", "--uid=nobody", "tempmail", f"--smtp={_LOCAL}")
        daemon = self.daemon(
            command=[str(python), *twistd(*options, f"--http={_LOCAL}")],
            env=environment(PYTHONPATH=os.pathsep.join([str(ROOT), *sys.path])),
        )
        line = daemon.wait_for_line("error.*no worker starts")
        self.assertIn(f"this user may not execute {python}", line)
        status, problem = daemon.ask("GET", "/readyz")
        self.assertEqual(status, 503)
        self.assertIn(str(python), problem["detail"])


class EndpointTests(DaemonTestCase):
    """Where it listens."""

    def test_unix(self) -> None:
        """SMTP and HTTP over UNIX sockets, which are gone afterwards."""
        daemon = self.daemon(
            smtp=[f"unix:{self.directory}/smtp"], http=[f"unix:{self.directory}/http"]
        )
        asked = Asked(UnixConnection(self.directory / "http"), "POST", "/v1/mailboxes", body={})
        minted = asked.answer()[1]
        with UnixSMTP(self.directory / "smtp") as client:
            client.send_message(mail(minted["address"], "By the socket"))
        path = f"/v1/mailboxes/{minted['address']}/messages?wait=20"
        page = Asked(UnixConnection(self.directory / "http"), "GET", path, minted["token"]).answer()
        self.assertEqual(page[1]["messages"][0]["subject"], "By the socket")
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(list(self.directory.iterdir()), [])

    def test_haproxy(self) -> None:
        """Behind HAProxy the envelope knows the real client, by the PROXY header."""
        daemon = self.daemon(smtp=[f"haproxy:{_LOCAL}"])
        address, token = daemon.mint()
        with ProxiedSMTP("127.0.0.1", daemon.smtp, timeout=PATIENCE) as client:
            client.send_message(mail(address, "From afar"))
        status, page = daemon.begin_wait(address, token).answer()
        self.assertEqual((status, len(page["messages"])), (200, 1))
        self.assertEqual(daemon.stop(), 0)
        self.assertNotIn("Traceback", daemon.log)

    def test_handed_over(self) -> None:
        """Sockets of systemd's are taken over as they are."""
        with (
            socket.create_server(("127.0.0.1", 0)) as smtp,
            socket.create_server(("127.0.0.1", 0)) as http,
        ):
            # What systemd does: descriptors from 3 on, and who they are for.
            script = (
                "exec 3<&$0 4<&$1; shift; LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=smtp:http; "
                'export LISTEN_PID LISTEN_FDS LISTEN_FDNAMES; exec "$@"'
            )
            daemon = Daemon(
                smtp=["systemd:domain=INET:name=smtp"], http=["systemd:domain=INET:name=http"]
            )
            daemon.command = [
                *("bash", "-c", script, str(smtp.fileno()), str(http.fileno())),
                *daemon.command,
            ]
            daemon.pass_fds = (smtp.fileno(), http.fileno())
            daemon.start()
            self.addCleanup(daemon.stop)
            self.assertEqual(daemon.smtp, smtp.getsockname()[1])
        self.assert_delivers(daemon)

    def test_starttls(self) -> None:
        """With a certificate mail comes in over TLS, and the client sees who we are."""
        daemon = self.daemon("--tls=self-signed", "--hostname=mx.test", "--domain=a.test")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        address, token = daemon.mint()
        with SMTP("127.0.0.1", daemon.smtp, timeout=PATIENCE) as client:
            client.starttls(context=context)
            assert isinstance(client.sock, ssl.SSLSocket)
            self.assertIn(client.sock.version(), ("TLSv1.2", "TLSv1.3"))
            client.send_message(mail(address))
        self.assertEqual(len(daemon.begin_wait(address, token).answer()[1]["messages"]), 1)


class ClosingTests(DaemonTestCase):
    """SIGTERM."""

    def test_answers_waiters(self) -> None:
        """Who waits is answered at once, and the exit code is 0."""
        daemon = self.daemon()
        address, token = daemon.mint()
        waiting = daemon.begin_wait(address, token, 60)
        daemon.ask("GET", "/healthz")
        began = time.monotonic()
        daemon.signal(signal.SIGTERM)
        status, _ = waiting.answer()
        self.assertIn(status, (200, 503))
        self.assertEqual(daemon.wait(), 0)
        self.assertLess(time.monotonic() - began, 5.0)

    def test_lets_a_mail_finish(self) -> None:
        """A mail half received may be finished; who is idle is told 421; nobody new comes in."""
        daemon = self.daemon()
        address, _ = daemon.mint()
        idle = SMTP("127.0.0.1", daemon.smtp, timeout=PATIENCE)
        self.addCleanup(idle.close)
        idle.ehlo("client.test")
        busy = self.begin_mail(daemon, address)
        busy.send(b"Subject: slow\r\n\r\nfirst half\r\n")
        daemon.signal(signal.SIGTERM)
        self.assertEqual(idle.getreply()[0], 421)
        until(lambda: _refused(daemon.smtp))
        busy.send(b"second half\r\n.\r\n")
        self.assertEqual(busy.getreply()[0], 250)
        self.assertEqual(daemon.wait(), 0)

    def test_bounded(self) -> None:
        """A mail that does not finish is told 421 when closing time is over."""
        daemon = self.daemon("--closing-time", "1")
        address, _ = daemon.mint()
        client = self.begin_mail(daemon, address)
        client.send(b"Subject: never ending\r\n")
        began = time.monotonic()
        daemon.signal(signal.SIGTERM)
        self.assertEqual(client.getreply()[0], 421)
        self.assertGreater(time.monotonic() - began, 0.5)
        client.close()
        self.assertEqual(daemon.wait(), 0)
        self.assertLess(time.monotonic() - began, 10.0)

    def test_hurry(self) -> None:
        """A second signal ends it at once."""
        daemon = self.daemon("--closing-time", "60")
        address, _ = daemon.mint()
        self.begin_mail(daemon, address)
        daemon.signal(signal.SIGTERM)
        until(lambda: _refused(daemon.smtp))
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(), 0)

    def test_first_process(self) -> None:
        """In a container, where the kernel throws away what nobody handles, a signal that comes
        while the server starts ends it in order, as soon as it has started."""
        if os.geteuid() != 0:
            raise SkipTest("only root can begin a process namespace: run the tests as root")
        token = self.directory / "token"
        os.mkfifo(token)
        daemon = Daemon(f"--operator-token-file={token}")
        daemon.command[:0] = ["unshare", "--pid", "--fork", "--kill-child"]
        daemon.launch()
        self.addCleanup(daemon.stop)
        with token.open("w") as told:
            # It has come as far as reading this.
            children = Path(f"/proc/{daemon.process.pid}/task/{daemon.process.pid}/children")
            os.kill(int(children.read_text()), signal.SIGTERM)
            told.write("x" * 32)
        self.assertEqual(daemon.wait(), 0)
        daemon.wait_for_line("Server Shut Down")

    def test_until_it_is_gone(self) -> None:
        """Signals at any moment up to the last leave the exit code what it is."""
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
            with self.subTest(number.name):
                daemon = self.daemon()
                daemon.signal(signal.SIGTERM)
                end = time.monotonic() + PATIENCE
                while time.monotonic() < end:
                    daemon.signal(number)
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        daemon.process.wait(0.001)
                        break
                self.assertEqual(daemon.wait(), 0)


class ReloadTests(DaemonTestCase):
    """SIGHUP."""

    def test_adds_a_domain(self) -> None:
        """Domains and limits change while a waiter stays, and is still served."""
        path = self.file("tempmail.toml", 'domain = "a.test"\n')
        daemon = self.daemon(f"--config={path}")
        address, token = daemon.mint()
        waiting = daemon.begin_wait(address, token)
        daemon.ask("GET", "/healthz")
        path.write_text('domain = ["a.test", "b.test:catch-all"]\nmax-message-size = "1M"\n')
        daemon.signal(signal.SIGHUP)
        daemon.wait_for_line(r"settings applied: .*b\.test \(catch-all\)")
        _, domains = daemon.ask("GET", "/v1/domains")
        self.assertEqual([one["domain"] for one in domains["domains"]], ["a.test", "b.test"])
        self.assertEqual(domains["max_message_size"], 1 << 20)
        daemon.send("anybody@b.test")
        daemon.send(address, "Still here")
        self.assertEqual(waiting.answer()[1]["messages"][0]["subject"], "Still here")

    def test_while_it_starts(self) -> None:
        """One that comes during the start is heard once the server runs."""
        daemon = Daemon("--domain=a.test")
        daemon.launch()
        self.addCleanup(daemon.stop)
        status = Path(f"/proc/{daemon.process.pid}/status")
        # Twisted itself is imported first, and nothing of ours can help before that.
        until(lambda: _blocks(status.read_text(), signal.SIGHUP))
        daemon.signal(signal.SIGHUP)
        daemon.wait_for_line("settings applied: ")
        self.assertEqual(daemon.stop(), 0)

    def test_no_log_file(self) -> None:
        """SIGUSR1, which begins a new log file, does no harm where there is none."""
        daemon = self.daemon()
        daemon.signal(signal.SIGUSR1)
        self.assert_delivers(daemon)
        self.assertEqual(daemon.stop(), 0)

    def test_broken_file(self) -> None:
        """A file that can not be used is one line in the log; everything stays as it was."""
        path = self.file("tempmail.toml", 'domain = "a.test"\n')
        daemon = self.daemon(f"--config={path}")
        path.write_text("domian = 'b.test'\n")
        daemon.signal(signal.SIGHUP)
        daemon.wait_for_line("settings stay as they were: .*did you mean domain")
        self.assert_delivers(daemon)
        self.assertNotIn("Traceback", daemon.log)

    def test_needs_a_restart(self) -> None:
        """What can not change while it runs is named."""
        path = self.file("tempmail.toml", "")
        daemon = self.daemon(f"--config={path}")
        path.write_text('hostname = "mx.test"\n')
        daemon.signal(signal.SIGHUP)
        daemon.wait_for_line("changed only by a restart: --hostname")


class UnixConnection(HTTPConnection):
    """HTTP over a UNIX socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(str(self._path))


class UnixSMTP(SMTP):
    """SMTP over a UNIX socket."""

    def __init__(self, path: Path) -> None:
        self._path = path
        super().__init__("localhost", timeout=PATIENCE, local_hostname="client.test")

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connected = socket.socket(socket.AF_UNIX)
        connected.settimeout(timeout)
        connected.connect(str(self._path))
        return connected


class ProxiedSMTP(SMTP):
    """SMTP the way HAProxy forwards it."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connected = socket.create_connection((host, port), timeout)
        connected.sendall(b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\r\n")
        return connected


def _blocks(status: str, number: signal.Signals) -> bool:
    """Whether a process holds this signal back, by its ``/proc/PID/status``."""
    return any(
        int(line.split()[1], 16) >> (number - 1) & 1
        for line in status.splitlines()
        if line.startswith("SigBlk:")
    )


def _refused(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) != 0
