"""What the description of the interface promises, tried by a tool that reads nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path
from smtplib import SMTP
from urllib.parse import quote

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

from tests.live.daemon import PATIENCE, Daemon, mail

SECONDS = 8
"""How long each kind of client tries; what was not tried by then was not tried."""

# Of what a client may do with a mailbox, what takes away what others look at: each is tried with a
# mailbox of its own.
DESTRUCTIVE = ("deleteMailbox", "rotateToken", "empty", "deleteMessage")

# A mailbox that was minted is, by design, not found by who shows another token or key than its own.
CHECKS = ("--checks=all", "--exclude-checks=ensure_resource_availability")

# Who asks, with what, comes before the rest; parameters that are not in the description are none of
# our business, so they are not tried. Waits are short, and a stream is read until its first event.
_CONFIGURATION = """
{asker}
seed = 1
max-time = {seconds}
continue-on-failure = true
request-timeout = 10
max-stream-events = 1

[generation]
max-examples = 60
allow-extra-parameters = false
database = "none"

# A mailbox that is gone is an answer to a good request too.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 401, 404, 409, 410]

# How long, in which domain and under which names is the operator's to say, not the description's.
[[operations]]
include-operation-id = ["mint", "extend"]
checks.positive_data_acceptance.expected-statuses = ["2xx", 401, 404, 409, 410, 422]

# What can be an address, and which are the same one, is not in the description either. A catch-all
# is not there, so nobody is waited for.
[[operations]]
include-operation-id = "watch"
checks.positive_data_acceptance.expected-statuses = ["2xx", 422]

# There is something to stream from the beginning only.
[[operations]]
include-operation-id = "events"
parameters = {{ "query.after" = "0", "header.Last-Event-ID" = "0" }}

# No handshake is made.
[[operations]]
include-operation-id = "websocket"
checks.positive_data_acceptance.expected-statuses = [401, 404, 410, 426]
"""


@frozen
class Box:
    """A mailbox with mail."""

    address: str
    token: str
    id: str


def rich(recipient: str) -> EmailMessage:
    """A mail of which everything can be asked."""
    message = mail(recipient, "Your code", "Your code is 483920.\n")
    link = "https://x.example/confirm?token=0123456789abcdef"
    message.add_alternative(f"<p>Your code is 483920. <a href='{link}'>Confirm</a>", "html")
    message.add_attachment("hi", filename="a.txt")
    return message


def filled(daemon: Daemon) -> Box:
    """A public mailbox of somebody's, with mail."""
    address, token = daemon.mint(public=True)
    with SMTP("127.0.0.1", daemon.smtp, timeout=PATIENCE) as client:
        for _ in range(10):
            client.send_message(rich(address))
    status, page = daemon.ask("GET", f"/v1/mailboxes/{quote(address)}/messages")
    assert status == 200, page
    return Box(address, token, page["messages"][0]["id"])


def asker(box: Box | None = None, held: bool = False) -> str:
    """The part of a configuration that says which mailbox is asked for, and whether by its holder.

    Without one any address is.
    """
    parameters: dict[str, object] = {"query.wait": 0.1, "query.timeout": 0.1}
    headers: dict[str, object] = {}
    if box is not None:
        parameters |= {"path.address": box.address, "path.mailbox": box.address}
        parameters |= {"path.id": box.id, "path.index": "0"}
    if box is not None and held:
        headers = {"Authorization": f"Bearer {box.token}"}
    return f"headers = {inline(headers)}\nparameters = {inline(parameters)}\n"


def inline(table: dict[str, object]) -> str:
    """A table of TOML on one line; its values are written as in JSON."""
    members = (f"{json.dumps(key)} = {json.dumps(value)}" for key, value in table.items())
    return f"{{ {', '.join(members)} }}"


class SchemaTests(SynchronousTestCase):
    """The real server against its own description, by schemathesis."""

    def attempt(self, daemon: Daemon, phases: str, who: str, *others: str) -> None:
        """Have everything tried under a configuration; fails with what was found."""
        file = Path(self.mktemp()).absolute()
        parts = (_CONFIGURATION.format(asker=who, seconds=SECONDS), *others)
        file.write_text("\n".join(parts))
        url = f"http://127.0.0.1:{daemon.http}/v1/openapi.json"
        options = (f"--phases={phases}", *CHECKS, "--no-color", "--warnings=off")
        command = [sys.executable, "-m", "schemathesis.cli", f"--config-file={file}", "run", url]
        ran = subprocess.run(
            [*command, *options],
            capture_output=True,
            text=True,
            timeout=SECONDS + 4 * PATIENCE,
        )
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        self.assertNotIn("Traceback", daemon.log)

    def attempt_on_mailboxes(self, held: bool) -> None:
        """Have it tried on mailboxes that there are."""
        with Daemon("--unlimited") as daemon:
            own = (
                f'[[operations]]\ninclude-operation-id = "{name}"\n{asker(filled(daemon), held)}'
                for name in DESTRUCTIVE
            )
            self.attempt(daemon, "coverage,fuzzing", asker(filled(daemon), held), *own)

    def test_holder(self) -> None:
        """Who holds a mailbox's token is answered as is described."""
        self.attempt_on_mailboxes(held=True)

    def test_passer_by(self) -> None:
        """So is who knows no more than the address of a public one."""
        self.attempt_on_mailboxes(held=False)

    def test_anybody(self) -> None:
        """So is who knows nothing, and goes on with what was answered."""
        with Daemon("--unlimited") as daemon:
            self.attempt(daemon, "coverage,fuzzing,stateful", asker())
