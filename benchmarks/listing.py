"""Answers a second to a list of fifty messages: ``python -m benchmarks.listing``.

One client process (wrk). Next to it the same client and a bare ``twisted.web`` resource that
answers the same octets without looking at the request: what HTTP on this reactor costs by itself.
"""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from statistics import median

from benchmarks.latency import Sender
from benchmarks.servers import DOMAIN, find, free_port, running, tempmail
from benchmarks.tables import show

MESSAGES = 50
SECONDS = 4
ROUNDS = 3

BARE = """
import sys
from twisted.internet import reactor
from twisted.web.resource import Resource
from twisted.web.server import Site
class Same(Resource):
    isLeaf = True
    body = b"x" * int(sys.argv[2])
    def render_GET(self, request):
        request.setHeader(b"content-type", b"application/json")
        return self.body
site = Site(Same())
site.log = lambda request: None
reactor.listenTCP(int(sys.argv[1]), site, interface="127.0.0.1")
reactor.run()
"""


def rate(url: str) -> float:
    """Answers a second from one client process with 16 kept connections."""
    command = [find("wrk"), "-t1", "-c16", f"-d{SECONDS}s", url]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in output:
        raise AssertionError(output)
    found = re.search(r"Requests/sec:\s+([0-9.]+)", output)
    if found is None:
        raise AssertionError(output)
    return float(found[1])


def main() -> dict[str, float]:
    """Print the table; returns answers a second."""
    with tempmail() as server:
        sender = Sender(server)
        for _ in range(MESSAGES):
            sender.prepare(f"box@{DOMAIN}")
            sender.say(".")
        url = f"http://127.0.0.1:{server.http}/v1/mailboxes/box@{DOMAIN}/messages"
        size = len(urllib.request.urlopen(url).read())
        port = free_port()
        with running([sys.executable, "-c", BARE, str(port), str(size)], port):
            pairs = [(rate(url), rate(f"http://127.0.0.1:{port}/")) for _ in range(ROUNDS)]
    found = {
        "list of 50, answers/s": median(ours for ours, _ in pairs),
        "ratio to a bare resource": median(ours / bare for ours, bare in pairs),
    }
    show(f"Listing 50 messages, {size:,} octets", ["", ""], [[*pair] for pair in found.items()])
    return found


if __name__ == "__main__":
    main()
