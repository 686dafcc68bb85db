"""What Prometheus is told, and what the dashboard and the alerts ask it for."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.defer import Deferred

from tempmail.core.address import parse_address
from tempmail.core.errors import ListedClient
from tempmail.core.limits import (
    HTTP_CONNECTION_COST,
    MEGA,
)
from tempmail.service import Server
from tempmail.smtp import replies
from tempmail.web.answers import Answers
from tests.smtp.support import OPENED, RCPT, Client
from tests.test_service import ServiceTestCase
from tests.web.house import Wire, status_of

DEPLOY = Path(__file__).parents[1] / "deploy"
# A series in an expression of PromQL.
_NAME = re.compile(r"\b(?:tempmail|process|python)_[a-z_]+\b")


class MetricsTestCase(ServiceTestCase):
    """A server with an admin endpoint."""

    def setUp(self) -> None:
        super().setUp()
        self.reactor.advance(1)
        self.server = self.start(admin=("tcp:9090",))

    def get(self, path: str = "/metrics", accept: str = "*/*") -> tuple[int, bytes, str]:
        """Status, head and body of an answer of the admin's site."""
        wire = Wire(self.server.admin)
        said: bytes = wire.send(request(path, Accept=accept))
        head, _, body = said.partition(b"\r\n\r\n")
        wire.hang_up()
        return status_of(said), head, str(body, "utf-8")

    def samples(self) -> dict[str, float]:
        """All figures, by name and labels as they are written."""
        lines = (line for line in self.get()[2].splitlines() if not line.startswith("#"))
        samples = [line.rsplit(" ", 1) for line in lines]
        found = {name: float(value) for name, value in samples}
        self.assertEqual(
            len(found), len(samples), "Prometheus keeps one of those of the same labels"
        )
        return found

    def session(self, host: str = "192.0.2.1") -> Client:
        client = Client(self.server.smtp, host)
        client.send(b"EHLO client.example.org\r\n")
        self.addCleanup(client.hang_up)
        return client

    def mint(self, local_part: str = "bob", **wished: Any) -> str:
        """A mailbox of a.test; returns its token."""
        minting = self.server.office.mint(local_part=local_part, **wished)
        return str(self.successResultOf(_result(minting)).token)


class EndpointTests(MetricsTestCase):
    """Where they are, and in which form."""

    def test_text(self) -> None:
        """Prometheus reads them: each has a type and a help text, names and units as it likes."""
        status, head, body = self.get()
        self.assertEqual(status, 200)
        self.assertIn(b"text/plain; version=0.0.4", head)
        families = list(text_string_to_metric_families(body))
        self.assertGreater(len(families), 30)
        for family in families:
            with self.subTest(family.name):
                self.assertTrue(family.documentation)
                self.assertNotEqual(family.type, "unknown")
                self.assertRegex(family.name, r"^(tempmail|process|python)_[a-z_]+$")

    def test_openmetrics(self) -> None:
        """They come as OpenMetrics to whoever asks for that."""
        _, head, body = self.get(accept="application/openmetrics-text; version=1.0.0")
        self.assertIn(b"application/openmetrics-text; version=1.0.0", head)
        self.assertTrue(body.endswith("# EOF\n"))

    def test_odd_accept(self) -> None:
        """Whatever is asked for that there is not, they come as Prometheus has always read them."""
        for accept in (
            b"\xff",
            b"application/openmetrics-text; version=abc",
            b"text/plain; version=1..0",
            b"application/openmetrics-text; version=\xb2",
        ):
            wire = Wire(self.server.admin)
            said = wire.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: %b\r\n\r\n" % accept)
            wire.hang_up()
            self.assertEqual(status_of(said), 200, accept)
            self.assertIn(b"text/plain; version=0.0.4", said)

    def test_probes(self) -> None:
        """The probes are there too, and nothing else."""
        found = [
            self.get(path)[0] for path in ("/healthz", "/readyz", "/v1/domains", "/", "/create")
        ]
        self.assertEqual(found, [200, 200, 404, 404, 404])

    def test_not_public(self) -> None:
        """They are nowhere on the public site, and without an admin endpoint nowhere at all."""
        wire = Wire(self.server.site)
        self.assertEqual(status_of(wire.send(request("/metrics"))), 404)
        served = [factory for _, factory, *_ in self.reactor.tcpServers]
        self.assertEqual(served.count(self.server.admin), 1)
        self.reactor.tcpServers.clear()
        other = self.start(admin=())
        self.assertNotIn(other.admin, [factory for _, factory, *_ in self.reactor.tcpServers])

    def test_two_servers(self) -> None:
        """Each server of a process has figures of its own."""
        self.mint()
        other = self.start(admin=("tcp:9091",))
        self.assertEqual(self.samples()["tempmail_mailboxes"], 1)
        self.server = other
        self.assertEqual(self.samples()["tempmail_mailboxes"], 0)


class FigureTests(MetricsTestCase):
    """What they say after something happened."""

    def assert_figures(self, expected: Mapping[str, float]) -> None:
        """These, among all there are."""
        found = self.samples()
        self.assertEqual({name: found.get(name) for name in expected}, expected)

    def test_receiving(self) -> None:
        """Connections, mails, octets, refusals by their reason, and mails never finished."""
        self.mint("bob")
        client = self.session()
        client.send(OPENED.replace(b"tempmail.test", b"a.test") + b"hello\r\n.\r\n")
        client.send(b"MAIL FROM:<>\r\n" + RCPT + b"RCPT TO:<eve@a.test>\r\n")
        # Who guesses recipients is answered later.
        self.reactor.advance(self.server.office.limits.tarpit)
        client.send(b"RCPT TO:<bob@a.test>\r\nDATA\r\n", b"half")
        client.hang_up()
        self.session()
        expected = {
            "tempmail_smtp_connections_total": 2,
            "tempmail_smtp_connections_open": 1,
            "tempmail_smtp_mails_accepted_total": 1,
            "tempmail_smtp_mails_lost_total": 1,
            "tempmail_smtp_received_bytes_total": 11,
            'tempmail_smtp_refusals_total{code="550",reason="no_relay"}': 1,
            'tempmail_clients_refused_total{reason="mint_rate"}': 0,
            'tempmail_clients_refused_total{reason="mailboxes_per_client"}': 0,
            'tempmail_smtp_refusals_total{code="550",reason="no_such_mailbox"}': 1,
            "tempmail_smtp_accept_seconds_count": 1,
            "tempmail_messages": 1,
            "tempmail_messages_bytes": 7,
        }
        self.assert_figures(expected)

    def test_mailboxes(self) -> None:
        """Mailboxes come and go, each by one way in and one way out."""
        self.mint("bob", lifetime=1)
        token = self.mint("eve")
        deleting = self.server.office.delete_mailbox(parse_address("eve@a.test"), token)
        self.successResultOf(_result(deleting))
        self.session().send(OPENED.replace(b"bob@tempmail", b"postmaster@a") + b"x\r\n.\r\n")
        self.reactor.advance(1.3)
        expected = {
            "tempmail_mailboxes": 1,
            "tempmail_mailboxes_quarantined": 2,
            "tempmail_mailboxes_minted_total": 2,
            "tempmail_mailboxes_opened_total": 1,
            "tempmail_mailboxes_expired_total": 1,
            "tempmail_mailboxes_deleted_total": 1,
            "tempmail_expiry_lag_seconds_count": 1,
            "tempmail_memory_limit_bytes": 200 * MEGA,
            # Whoever asks is there too.
            "tempmail_memory_largest_share_bytes": HTTP_CONNECTION_COST,
            "tempmail_memory_used_bytes": self.server.budget.used + HTTP_CONNECTION_COST,
        }
        self.assert_figures(expected)
        self.assertAlmostEqual(self.samples()["tempmail_expiry_lag_seconds_sum"], 0.3)

    def test_waiting(self) -> None:
        """Who waits is counted by route while he does; how long a mail took to him, when it did."""
        shown = {"Authorization": f"Bearer {self.mint()}"}
        box = "/v1/mailboxes/bob%40a.test"
        wires = [Wire(self.server.site) for _ in range(2)]
        wires[0].send(request(f"{box}/messages?wait=30", **shown))
        wires[1].send(request(f"{box}/events", **shown))
        route = 'tempmail_http_held{route="/v1/mailboxes/<address>/%s"}'
        found = self.samples()
        self.assertEqual((found[route % "messages"], found[route % "events"]), (1, 1))
        self.assertEqual(found["tempmail_waiters"], 2)
        wires[0].hang_up()
        wires[1].hang_up()
        found = self.samples()
        self.assertEqual((found[route % "messages"], found[route % "events"]), (0, 0))
        self.assertEqual(found["tempmail_waiters"], 0)

    def test_answers(self) -> None:
        """Answers are counted by route and status, never by path."""
        wire = Wire(self.server.site)
        for path in ("/v1/domains", "/v1/domains", "/v1/mailboxes/bob%40a.test", "/bob"):
            wire.send(request(path))
        wire.hang_up()
        found = self.samples()
        name = 'tempmail_http_answers_total{route="%s",status="%d"}'
        self.assertEqual(found[name % ("/v1/domains", 200)], 2)
        self.assertEqual(found[name % ("/v1/mailboxes/<address>", 401)], 1)
        self.assertEqual(found[name % ("-", 404)], 1)
        self.assertEqual(found['tempmail_http_answer_seconds_count{route="/v1/domains"}'], 2)

    def test_process(self) -> None:
        """The reactor's lateness, the workers, and what Prometheus expects of any process."""
        self.reactor.advance(1)
        found = self.samples()
        self.assertAlmostEqual(found["tempmail_reactor_late_max_seconds"], 0.9)
        self.assertEqual(found['tempmail_workers_killed_total{reason="timeout"}'], 0)
        for name in (
            "process_resident_memory_bytes",
            "process_cpu_seconds_total",
            "tempmail_workers",
        ):
            self.assertIn(name, found)

    def test_nobody_is_named(self) -> None:
        """No label holds an address or a client, whatever they do; labels are few and known."""
        self.mint("bob")
        client = self.session("192.0.2.77")
        client.send(
            b"MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@a.test>\r\nRCPT TO:<eve@a.test>\r\n"
        )
        client.send(b"DATA\r\n", b"Subject: secret\r\n\r\nx\r\n.\r\n", b"secret\r\n")
        wire = Wire(self.server.site, "192.0.2.77")
        for path in ("/v1/mailboxes/bob%40a.test?access_token=secret", "/inbox/bob@a.test", "/bob"):
            wire.send(request(path))
        body = self.get()[2]
        for secret in ("bob", "eve", "ann", "a.test", "192.0.2.77", "secret", "client.example"):
            self.assertNotIn(secret, body)

    def test_every_refusal_has_a_name(self) -> None:
        """A refusal is called by the name of its reply, which is one of a few."""
        traffic = self.server.smtp.traffic
        traffic.refuse(replies.IDLE)
        for reply in (b"450 4.0.0 Of some other make\r\n", b"450 4.0.0 Of yet another\r\n"):
            traffic.refuse(reply)
        for name in ("bl.test", "xbl.test"):
            traffic.refuse(replies.for_error(ListedClient(name)))
        found = self.samples()
        for code, reason, count in ((550, "listed_client", 2), (421, "idle", 1), (450, "other", 2)):
            name = f'tempmail_smtp_refusals_total{{code="{code}",reason="{reason}"}}'
            self.assertEqual(found[name], count, name)


def _families(server: Server) -> list[Metric]:
    """All there is, as Prometheus reads it."""
    return list(text_string_to_metric_families(server.metrics.expose("")[0].decode()))


class CertificateTests(ServiceTestCase):
    """What is told of certificates."""

    def test_ends(self) -> None:
        """The end of each is told, and of none where there is none."""
        for self_signed, names in ((True, ["mx.test"]), (False, [])):
            server = self.start(self_signed=self_signed, hostname="mx.test")
            [family] = [one for one in _families(server) if "certificate_ends" in one.name]
            self.assertEqual([one.labels["name"] for one in family.samples], names)
            self.assertTrue(all(one.value > time.time() for one in family.samples))


class DeployTests(MetricsTestCase):
    """What is shipped to look at them with."""

    def known(self) -> set[str]:
        """The names of all series there can be."""
        names = set()
        for family in _families(self.server):
            endings = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
            names |= {family.name + ending for ending in endings.get(family.type, [""])}
            names |= {"tempmail_info"} if family.type == "info" else set()
        return names

    def test_dashboard(self) -> None:
        """Each panel asks the chosen data source for series there are, from a place of its own."""
        dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
        variable, _ = dashboard["templating"]["list"]
        self.assertEqual((variable["name"], variable["type"]), ("datasource", "datasource"))
        panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
        self.assertEqual(
            len({panel["id"] for panel in dashboard["panels"]}), len(dashboard["panels"])
        )
        places = [place for panel in dashboard["panels"] for place in _covered(panel["gridPos"])]
        self.assertEqual(len(set(places)), len(places))
        asked = set()
        for panel in panels:
            with self.subTest(panel["title"]):
                self.assertTrue(panel["description"])
                for target in panel["targets"]:
                    self.assertEqual(target["datasource"]["uid"], "${datasource}")
                    asked |= set(_NAME.findall(target["expr"]))
        self.assertEqual(asked - self.known(), set())
        unseen = {name for name in self.known() - asked if name.startswith("tempmail_")}
        self.assertEqual({name for name in unseen if not name.endswith(("_sum", "_count"))}, set())

    def test_dashboard_of_ours_alone(self) -> None:
        """No panel sums what other processes tell the same Prometheus."""
        dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
        _, instance = dashboard["templating"]["list"]
        # Without a value of its own "All" is the list of those that have this series.
        self.assertNotIn("allValue", instance)
        self.assertEqual(instance["query"]["query"], "label_values(tempmail_info, instance)")
        for panel in dashboard["panels"]:
            for target in panel.get("targets", ()):
                asked = _NAME.sub("SERIES", target["expr"])
                chosen = asked.count('SERIES{instance=~"$instance"}')
                self.assertEqual(asked.count("SERIES"), chosen, asked)

    def test_alerts(self) -> None:
        """Alerts ask for series there are."""
        text = (DEPLOY / "prometheus-alerts.yml").read_text()
        asked = set(_NAME.findall("\n".join(re.findall(r"expr: (.*)", text))))
        self.assertTrue(asked)
        self.assertEqual(asked - self.known(), set())


class AnswerTests(ServiceTestCase):
    """Counting answers."""

    def test_bounded(self) -> None:
        """What is kept grows with routes and statuses and not with answers."""
        answers = Answers()
        for number in range(100):
            answers.observe("/v1/domains", 200 + number % 2, 0.001)
        self.assertEqual((len(answers.counts), len(answers.seconds)), (2, 1))


def request(path: str, **headers: str) -> bytes:
    """A request as it goes over the wire."""
    lines = [f"GET {path} HTTP/1.1", "Host: x", *(f"{k}: {v}" for k, v in headers.items())]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def _covered(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    for x in range(place["x"], place["x"] + place["w"]):
        for y in range(place["y"], place["y"] + place["h"]):
            yield x, y


def _result(coroutine: Coroutine[Any, Any, Any]) -> Deferred[Any]:
    return Deferred.fromCoroutine(coroutine)
