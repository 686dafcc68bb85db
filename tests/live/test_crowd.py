"""Many senders and many waiting readers at once."""

from __future__ import annotations

import json
import socket
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import quote

from twisted.trial.unittest import SynchronousTestCase

from tests.live.daemon import PATIENCE, Daemon

SENDERS, READERS, MAILBOXES, MAILS = 10, 50, 100, 10_000
EACH = MAILS // MAILBOXES


def send(port: int, sender: int, addresses: list[str]) -> None:
    """One sender's share of the mails: to each mailbox in turn, over one connection."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        replies = connection.makefile("rb")
        replies.readline()
        connection.sendall(b"HELO sender.example\r\n")
        replies.readline()
        for number in range(MAILS // SENDERS):
            address = addresses[(number * SENDERS + sender) % MAILBOXES]
            subject = f"{sender} {number}"
            connection.sendall(
                f"MAIL FROM:<s{sender}@example.org>\r\nRCPT TO:<{address}>\r\nDATA\r\n".encode()
            )
            codes = [replies.readline()[:3] for _ in range(3)]
            connection.sendall(f"Subject: {subject}\r\n\r\nHello.\r\n.\r\n".encode())
            codes.append(replies.readline()[:3])
            if codes != [b"250", b"250", b"354", b"250"]:
                raise AssertionError(codes)


def follow(port: int, address: str, token: str) -> list[str]:
    """The subjects at an address, by one long poll after the other, each from its cursor on."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE + 60)
    subjects: list[str] = []
    cursor = "0"
    while len(subjects) < EACH:
        path = f"/v1/mailboxes/{quote(address)}/messages?wait=20&limit=7&after={cursor}"
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        page = json.loads(connection.getresponse().read())
        if page["timed_out"]:
            break
        subjects += [message["subject"] for message in page["messages"]]
        cursor = page["cursor"]
    connection.close()
    return subjects


def follow_all(port: int, boxes: list[tuple[str, str]]) -> list[list[str]]:
    """The subjects at each of several addresses, by one wait at all of them after the other."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE + 60)
    asked = [{"address": address, "token": token, "after": "0"} for address, token in boxes]
    subjects: list[list[str]] = [[] for _ in boxes]
    while min(map(len, subjects)) < EACH:
        body = json.dumps({"mailboxes": asked, "timeout": 20, "limit": 7})
        connection.request("POST", "/v1/wait", body, {"Content-Type": "application/json"})
        found = json.loads(connection.getresponse().read())
        if found["timed_out"]:
            break
        for one, heard, told in zip(asked, subjects, found["mailboxes"], strict=True):
            heard += [message["subject"] for message in told["messages"]]
            one["after"] = told["cursor"]
    connection.close()
    return subjects


class CrowdTests(SynchronousTestCase):
    """The real server, ten senders, fifty readers."""

    def test_none_lost_none_twice_all_in_order(self) -> None:
        """Whoever follows a mailbox gets each of its mails once, each sender's in his order."""
        with Daemon("--unlimited") as daemon:
            minted = [daemon.mint() for _ in range(MAILBOXES)]
            addresses = [address for address, _ in minted]
            with ThreadPoolExecutor(READERS + SENDERS + 1) as pool:
                reading = [pool.submit(follow, daemon.http, *one) for one in minted[:READERS]]
                sending = [
                    pool.submit(send, daemon.smtp, sender, addresses) for sender in range(SENDERS)
                ]
                # The others are all waited at by one, and by another when all is there.
                others = pool.submit(follow_all, daemon.http, minted[READERS:])
                for sent in sending:
                    sent.result()
                heard = [read.result() for read in reading]
                heard += others.result()
                later = follow_all(daemon.http, minted[READERS:])
                self.assertEqual(later, heard[READERS:])
        expected: dict[int, list[str]] = defaultdict(list)
        for sender in range(SENDERS):
            for number in range(MAILS // SENDERS):
                place = (number * SENDERS + sender) % MAILBOXES
                expected[place].append(f"{sender} {number}")
        for place, subjects in enumerate(heard):
            self.assertEqual(sorted(subjects), sorted(expected[place]))
            for sender in range(SENDERS):
                his = [int(one.split()[1]) for one in subjects if one.split()[0] == str(sender)]
                self.assertEqual(his, sorted(his))
