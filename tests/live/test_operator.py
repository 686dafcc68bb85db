"""What an operator sees of a real twistd: its log in each form, its figures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from http.client import HTTPConnection
from pathlib import Path
from smtplib import SMTP, SMTPResponseException

from twisted.trial.unittest import SynchronousTestCase

from tests.live.daemon import PATIENCE, ROOT, Daemon, environment, twistd, until


class LogTests(SynchronousTestCase):
    """The log, however the process was started."""

    def fail_at(self, daemon: Daemon) -> None:
        """A session in which nothing goes well."""
        daemon.mint(local_part="bob")
        with SMTP("127.0.0.1", daemon.smtp, timeout=PATIENCE) as client:
            try:
                client.sendmail("ann@example.org", "mallory@tempmail.test", "Subject: hush\n\nx")
            except SMTPResponseException:
                pass
            except Exception as error:
                self.assertIn("mallory", repr(error))
            client.docmd("Subject: hush")
            client.docmd("MAIL", "FROM:<ann@example.org> SIZE=999999999")
        daemon.ask("GET", "/v1/mailboxes/bob%40tempmail.test", token="hush")

    def test_json(self) -> None:
        """Every line is a JSON object, from the first to the last, and names nobody."""
        with Daemon("--log-format", "json", "--access-log") as daemon:
            self.fail_at(daemon)
        documents = [json.loads(line) for line in daemon.lines]
        for document in documents:
            self.assertLessEqual({"time", "level", "namespace", "message"}, set(document))
        self.assertIn("GET /v1/mailboxes/<address> 404", daemon.log)
        self.assertIn("Server Shut Down", documents[-1]["message"])
        for secret in ("bob", "mallory", "ann@", "hush"):
            self.assertNotIn(secret, daemon.log)

    def test_quiet(self) -> None:
        """A server that nobody complains of says a few lines at the start and the end."""
        with Daemon("--log-level", "info") as daemon:
            daemon.wait_for_line("operator-token-file")
            before = len(daemon.lines)
            self.fail_at(daemon)
            daemon.ask("GET", "/v1/domains")
            self.assertEqual(daemon.lines[before:], [])

    def test_debug(self) -> None:
        """At debug it shows what was said, and never what a mail holds."""
        with Daemon("--log-level", "debug") as daemon:
            self.fail_at(daemon)
            daemon.wait_for_line("over$")
        self.assertRegex(daemon.log, r"C: rcpt TO:<mallory@tempmail.test>\n.* S: 550 5\.1\.1 No")
        self.assertNotIn("hush", daemon.log)

    def test_reload(self) -> None:
        """SIGHUP turns the dialogue on and off, and the mailbox is still there."""
        for before, after in (("info", "debug"), ("debug", "info")):
            config = Path(self.mktemp()).absolute()
            config.write_text(f'log-level = "{before}"')
            with Daemon("--config", str(config)) as daemon:
                address, token = daemon.mint()
                config.write_text(f'log-level = "{after}"')
                daemon.signal(signal.SIGHUP)
                daemon.wait_for_line("settings applied")
                daemon.send(address)
                self.assertEqual(daemon.begin_wait(address, token).answer()[0], 200)
            shown = "C: mail FROM:<sender@example.org>" in daemon.log
            self.assertEqual(shown, after == "debug", daemon.log)

    def test_tac(self) -> None:
        """The same by the .tac file, into the file that twistd was told to write."""
        path = Path(self.mktemp()).absolute()
        options = "--smtp tcp:0:interface=127.0.0.1 --http tcp:0:interface=127.0.0.1"
        daemon = Daemon(
            command=twistd(
                "--nodaemon", "--pidfile=", f"--logfile={path}", "--python", "tempmail.tac"
            ),
            env=environment(TEMPMAIL_OPTIONS=f"{options} --log-format json"),
        )
        daemon.launch()
        self.addCleanup(daemon.stop)
        self.wait_for(path, "listens")
        daemon.stop()
        documents = [json.loads(line) for line in path.read_text().splitlines()]
        self.assertIn("Server Shut Down", documents[-1]["message"])

    def test_daemonised(self) -> None:
        """The same in the background, where SIGUSR1 still begins a new file."""
        directory = Path(self.mktemp()).absolute()
        directory.mkdir()
        log, pid = directory / "log", directory / "pid"
        options = ("--smtp=tcp:0:interface=127.0.0.1", "--http=tcp:0:interface=127.0.0.1")
        started = subprocess.run(
            twistd(
                f"--pidfile={pid}", f"--logfile={log}", "tempmail", *options, "--log-format=json"
            ),
            cwd=ROOT,
            env=environment(),
            timeout=PATIENCE,
            check=False,
        )
        self.assertEqual(started.returncode, 0)
        number = int(pid.read_text())
        self.wait_for(log, "listens")
        os.kill(number, signal.SIGUSR1)
        self.wait_for(directory / "log.1", "listens")
        os.kill(number, signal.SIGTERM)
        self.wait_for(log, "Server Shut Down")
        for path in (log, directory / "log.1"):
            for line in path.read_text().splitlines():
                self.assertIn("message", json.loads(line))

    def wait_for(self, path: Path, words: str) -> None:
        """Wait until a file has these words."""
        until(lambda: path.exists() and words in path.read_text())


class MetricsTests(SynchronousTestCase):
    """The admin endpoint."""

    def test_figures(self) -> None:
        """It tells what happened, to nobody but those who reach it."""
        admin = "tcp:0:interface=127.0.0.1"
        with Daemon("--admin", admin) as daemon:
            address, token = daemon.mint()
            waiting = daemon.begin_wait(address, token)
            daemon.send(address)
            self.assertEqual(waiting.answer()[0], 200)
            connection = HTTPConnection("127.0.0.1", daemon.admin, timeout=PATIENCE)
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
            connection.close()
            self.assertEqual(daemon.ask("GET", "/metrics")[0], 404)
        for line in (
            "tempmail_smtp_mails_accepted_total 1.0",
            "tempmail_mailboxes_minted_total 1.0",
            "tempmail_wake_seconds_count 1.0",
            "tempmail_smtp_accept_seconds_count 1.0",
        ):
            self.assertIn(line + "\n", text)
        self.assertNotIn(address, text)
