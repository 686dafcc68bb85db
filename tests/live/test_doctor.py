"""`tempmail doctor` as somebody runs it, before a real server and beside one."""

from __future__ import annotations

import json
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.live.daemon import PATIENCE, ROOT, Daemon, environment


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`tempmail` with these arguments, to its end."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def doctor(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`tempmail doctor` with these options."""
    return run("-m", "tempmail.cli", "doctor", *arguments)


class DoctorTests(SynchronousTestCase):
    """Exit codes and output."""

    def test_beside_a_server(self) -> None:
        """A server that runs is recognised by its options, and nothing is wrong with it."""
        options = ["--tls=self-signed", "--hostname=mx.test", "--memory=200M"]
        secure = "--smtps=tcp:0:interface=127.0.0.1"
        with Daemon(*options, secure) as daemon:
            places = [
                f"--{protocol.lower()}=tcp:{port}:interface=127.0.0.1"
                for protocol, port in daemon.ports.items()
            ]
            said = doctor(*options, *places)
        self.assertEqual((said.returncode, said.stderr), (0, ""), said.stdout)
        self.assertEqual(said.stdout.count("a tempmail serves there"), 3, said.stdout)
        self.assertRegex(said.stdout.splitlines()[-1], r"^\d+ ok, \d+ advice, 0 problem$")

    def test_problem(self) -> None:
        """With a problem the exit code is 1; --json tells all of it as one document."""
        said = doctor("--tls-certificate=/nowhere", "--json", "--memory=200M")
        self.assertEqual((said.returncode, said.stderr), (1, ""))
        document = json.loads(said.stdout)
        self.assertEqual(document["problems"], 1)
        [problem] = [one for one in document["findings"] if one["level"] == "problem"]
        self.assertEqual(problem["check"], "certificates")
        self.assertIn("can not read /nowhere", problem["text"])

    def test_help(self) -> None:
        """The script's help names it; its own help names the server's options."""
        self.assertIn("doctor", run("-m", "tempmail.cli", "--help").stdout)
        self.assertIn("--tls-certificate", doctor("--help").stdout)

    def test_misplaced(self) -> None:
        """Behind other options it is not found, and that is said."""
        said = run("-m", "tempmail.cli", "--json", "doctor")
        self.assertEqual((said.returncode, said.stdout), (2, ""))
        self.assertIn("stands first", said.stderr)

    def test_others_know_nothing_of_it(self) -> None:
        """The other commands do not load the server's rooms."""
        code = (
            "import sys, tempmail.cli\n"
            "tempmail.cli.main(['--help'])\n"
            "print([name for name in sys.modules if name.startswith('tempmail.')], file=sys.stderr)"
        )
        said = run("-c", code)
        self.assertIn("'tempmail.client.", said.stderr)
        self.assertNotIn("tempmail.doctor", said.stderr)
        self.assertNotIn("tempmail.settings", said.stderr)
