"""The description of the interface is true: it names what there is, and answers are as it says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from klein import Klein

from tempmail.core.address import parse_address
from tempmail.core.message import Envelope
from tempmail.web.api import Api
from tempmail.web.docs import Docs
from tempmail.web.openapi import describe
from tempmail.web.operations import Operations
from tempmail.web.site import Exposure
from tempmail.web.small import Small
from tests.web.house import Answer, House, WebTestCase, Wire

DOCUMENT = describe()
RICH = (
    b"From: Ann <ann@example.org>\r\nTo: alice@tempmail.test\r\nSubject: Your code\r\n"
    b"Cc: Bob <bob@example.org>, carol@example.org\r\nReply-To: Desk <desk@example.org>\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n"
    b"<p>Your code is 483920. "
    b"<a href='https://x.example/confirm?token=0123456789abcdef'>Confirm</a>"
    b"\r\n--b\r\nContent-Type: text/plain\r\n"
    b"Content-Disposition: attachment; filename=a.txt\r\n\r\n"
    b"hi\r\n--b--\r\n"
)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z").fullmatch
TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def resolved(schema: Any) -> Any:
    """What a reference points to."""
    while "$ref" in schema:
        _, *path = schema["$ref"].split("/")
        schema = DOCUMENT
        for name in path:
            schema = schema[name]
    return schema


def faults(value: Any, schema: Any, place: str = "") -> list[str]:
    """Where a value is not as a schema says, members that it does not name among it."""
    schema = resolved(schema)
    if "oneOf" in schema:
        tried = [faults(value, one, place) for one in schema["oneOf"]]
        return [] if [] in tried else tried[0]
    wanted = schema.get("type", list(TYPES))
    kinds = [wanted] if isinstance(wanted, str) else wanted
    if not any(type(value) in TYPES[kind] for kind in kinds):
        return [f"{place}: {value!r} is no {wanted}"]
    found = []
    if value not in schema.get("enum", [value]):
        found.append(f"{place}: {value!r}")
    if schema.get("format") == "date-time" and not TIME(value or "0000-00-00T00:00:00Z"):
        found.append(f"{place}: {value!r} is no time")
    if isinstance(value, list):
        for one in value:
            found += faults(one, schema["items"], f"{place}[]")
    if isinstance(value, dict) and "properties" in schema:
        lacking = set(schema.get("required", [])) - set(value)
        found += [f"{place} lacks {name}" for name in lacking]
        for name, one in value.items():
            if name in schema["properties"]:
                found += faults(one, schema["properties"][name], f"{place}.{name}")
            else:
                found.append(f"{place} has {name}")
    return found


def routes() -> set[tuple[str, str]]:
    """Path and method of every route there is."""
    apps: list[Klein] = [Api.app, Small.app, Operations.app, Docs.app]
    return {
        (re.sub(r"<(\w+?)_?>", r"{\1}", rule.rule), method.lower())
        for app in apps
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
        if method != "HEAD"
    }


class DescriptionTests(WebTestCase):
    """The document itself."""

    def test_routes(self) -> None:
        """It describes every route there is, and no other."""
        described = {
            (path, method)
            for path, methods in DOCUMENT["paths"].items()
            for method in methods
            if method != "parameters"
        }
        self.assertEqual(described, routes())

    def test_served(self) -> None:
        """It is served, and says where the site is."""
        answer = self.ask("GET", "/v1/openapi.json")
        self.assertEqual(answer.json, DOCUMENT)
        self.assertEqual(answer.json["servers"], [{"url": "/"}])
        self.assertTrue(answer.json["openapi"].startswith("3.1."))

    def test_sound(self) -> None:
        """Every reference leads somewhere, every operation has a name of its own, every variable
        part of a path is described.
        """

        def walk(node: Any) -> None:
            if isinstance(node, dict):
                if "$ref" in node:
                    self.assertTrue(resolved(node))
                for child in node.values():
                    walk(child)
            elif isinstance(node, list):
                for child in node:
                    walk(child)

        walk(DOCUMENT)
        names = []
        for path, methods in DOCUMENT["paths"].items():
            given = {one["name"] for one in methods.get("parameters", [])}
            self.assertEqual(set(re.findall(r"{(\w+)}", path)), given)
            names += [one["operationId"] for key, one in methods.items() if key != "parameters"]
        self.assertEqual(len(names), len(set(names)))


class RequestTests(WebTestCase):
    """What is described of requests is what is accepted."""

    def setUp(self) -> None:
        """Have a public mailbox with a message."""
        super().setUp()
        self.deliver("a@qa.test", RICH)
        self.mail_id = self.ask_box("GET", "/messages").json["messages"][0]["id"]

    def ask_box(self, method: str, path: str, **more: Any) -> Answer:
        """Ask it."""
        return self.ask(method, f"/v1/mailboxes/a%40qa.test{path}", **more)

    def parameters(self, path: str, location: str = "query") -> dict[str, Any]:
        """The parameters that reading this path of a mailbox has, by name."""
        described = DOCUMENT["paths"][f"/v1/mailboxes/{{address}}{path}"]["get"]["parameters"]
        return {one["name"]: one for one in described if one["in"] == location}

    def bodies(self) -> dict[tuple[str, str], Any]:
        """The schemas of the bodies of v1, by method and path of the mailbox and its message."""
        return {
            (
                method.upper(),
                path.replace("{address}", "a%40qa.test").replace("{id}", self.mail_id),
            ): resolved(one["requestBody"]["content"]["application/json"]["schema"])
            for path, methods in DOCUMENT["paths"].items()
            for method, one in methods.items()
            if path.startswith("/v1") and "requestBody" in one
        }

    def test_members(self) -> None:
        """A body has no members but those described."""
        for (method, path), schema in self.bodies().items():
            self.assertIs(schema["additionalProperties"], False)
            answer = self.ask(method, path, json={"other": 1})
            self.assertIn("other", [error["field"] for error in answer.json["errors"]])

    def test_null(self) -> None:
        """A member that need not be there may be null, another may not."""
        for (method, path), schema in self.bodies().items():
            nulls = dict.fromkeys(schema["properties"])
            required = schema.get("required", [])
            for name, member in schema["properties"].items():
                self.assertEqual("null" in member["type"], name not in required, name)
            answer = self.ask(method, path, json=nulls)
            if required:
                self.assert_problem(answer, 422, *required)
            else:
                self.assertLess(answer.status, 300)

    def test_least(self) -> None:
        """What is shorter or less than described is refused."""
        members = self.bodies()["POST", "/v1/mailboxes"]["properties"]
        for name, bound, value in (
            ("local_part", "minLength", ""),
            ("domain", "minLength", ""),
            ("lifetime", "minimum", 0),
        ):
            self.assertEqual(members[name][bound], 1)
            answer = self.ask("POST", "/v1/mailboxes", json={name: value})
            self.assert_problem(answer, 422, name)

    def test_cursors(self) -> None:
        """A cursor that fits the description is taken, another is not."""
        pattern = self.parameters("/messages")["after"]["schema"]["pattern"]
        seen = self.parameters("/events", "header")["Last-Event-ID"]
        self.assertEqual(seen["schema"]["pattern"], pattern)
        for text in ("", "0", "7", "9" * 18, "9" * 19, "07", "-1", "1.0", "x", "\u0663"):
            answer = self.ask_box("GET", "/messages", params={"after": text})
            self.assertEqual(answer.status, 200 if re.search(pattern, text) else 422, text)

    def test_watches(self) -> None:
        """What is said of a mailbox that is waited at is what is accepted."""
        members = self.bodies()["POST", "/v1/wait"]["properties"]
        one, most = members["mailboxes"]["items"], members["mailboxes"]["maxItems"]
        self.assertIs(one["additionalProperties"], False)
        self.assertEqual(one["required"], ["address"])
        self.assertIn("null", one["properties"]["token"]["type"])
        for count, status in ((0, 422), (1, 200), (most, 200), (most + 1, 422)):
            named = [{"address": f"a{number}@qa.test"} for number in range(count)]
            answer = self.ask("POST", "/v1/wait", json={"mailboxes": named, "timeout": 0})
            self.assertEqual(answer.status, status, count)
        for name in ("timeout", "limit"):
            least, most = members[name]["minimum"], members[name]["maximum"]
            for value, status in ((least - 1, 422), (least, 200), (most, 200), (most + 1, 422)):
                body = {"mailboxes": [{"address": "a@qa.test"}], name: value}
                self.assertEqual(self.ask("POST", "/v1/wait", json=body).status, status, body)

    def test_empty(self) -> None:
        """A parameter that may be empty is, then, as good as none."""
        for path in ("/messages", "/wait", "/messages/{id}/html"):
            for name, described in self.parameters(path).items():
                self.assertTrue(described["allowEmptyValue"])
                real = path.replace("{id}", self.mail_id)
                self.assertEqual(self.ask_box("GET", real, params={name: ""}).status, 200, name)


class TruthTests(WebTestCase):
    """Answers are as described."""

    def setUp(self) -> None:
        """Begin with nothing asked."""
        super().setUp()
        self.asked: set[tuple[str, str]] = set()

    def check(self, method: str, path: str, *values: str, query: str = "", **more: Any) -> Answer:
        """Ask, and compare with what is described for that status."""
        filled = path
        for value in values:
            filled = re.sub(r"{\w+}", value.replace("@", "%40"), filled, count=1)
        answer = self.ask(method.upper(), filled + query, **more)
        self.compare(method, path, answer)
        return answer

    def compare(self, method: str, path: str, answer: Answer) -> None:
        """An answer with its description."""
        self.asked.add((path, method))
        responses = DOCUMENT["paths"][path][method]["responses"]
        self.assertIn(str(answer.status), responses, f"{method} {path}: {answer.body!r}")
        described = resolved(responses[str(answer.status)])
        for content_type, content in described.get("content", {}).items():
            if content_type != "*/*":
                self.assertEqual(answer.headers["content-type"].split(";")[0], content_type)
            if content_type.endswith("json"):
                self.assertEqual(faults(answer.json, content["schema"]), [], path)
        self.assertEqual(bool(described.get("content")), bool(answer.body), path)

    def test_everything(self) -> None:
        """Each operation answers as described, when it does what it is for and when not."""
        box = "/v1/mailboxes/{address}"
        one = f"{box}/messages/{{id}}"
        minted = self.check("post", "/v1/mailboxes", json={"local_part": "alice"}).json
        alice, token = minted["address"], minted["token"]
        self.check("post", "/v1/mailboxes", json={"local_part": "alice"})
        self.check("post", "/v1/mailboxes", json={"local_part": 1})
        self.deliver(alice, RICH)
        self.check("get", "/v1/domains")
        reads = ("", "/messages", "/wait", "/export", "/events", "/ws", "/attempts")
        for path in (f"{box}{read}" for read in reads):
            self.check("get", path, alice)
            self.check("get", path, alice, token="wrong")
        self.check("get", box, alice, token=token)
        refused = Envelope("ann@example.org", "mx.example.org"), [parse_address(alice)]
        self.house.office.report_refusal(*refused, "rcpt", "552 5.2.2 Mailbox full")
        self.house.office.report_refusal(*refused, "data", "")
        self.check("get", f"{box}/attempts", alice, token=token)
        self.check("post", f"{box}/extend", alice, token=token, json={"lifetime": 900})
        self.check("post", f"{box}/extend", alice, token=token, json={"lifetime": -1})
        listed = self.check("get", f"{box}/messages", alice, token=token).json
        self.check("get", f"{box}/messages", alice, token=token, query="?limit=0")
        self.check("get", f"{box}/wait", alice, token=token, query="?want=code")
        self.check("get", f"{box}/wait", alice, token=token, query="?timeout=0&from=nobody")
        self.check("get", f"{box}/export", alice, token=token)
        self.check("get", f"{box}/ws", alice, token=token)
        watched = [{"address": alice, "token": token}, {"address": "nobody@tempmail.test"}]
        self.check("post", "/v1/wait", json={"mailboxes": watched})
        self.check("post", "/v1/wait", json={"mailboxes": []})
        id_ = listed["messages"][0]["id"]
        for path in (one, f"{one}/html", f"{one}/text", f"{one}/raw"):
            self.check("get", path, alice, id_, token=token)
            self.check("get", path, alice, "1", token=token)
        self.check("get", f"{one}/attachments/{{index}}", alice, id_, "0", token=token)
        self.check("get", f"{one}/attachments/{{index}}", alice, id_, "9", token=token)
        self.check("patch", one, alice, id_, token=token, json={"seen": True})
        self.check("patch", one, alice, id_, token=token, json={})
        self.check("delete", one, alice, id_, token=token)
        self.check("delete", f"{box}/messages", alice, token=token)
        token = self.check("post", f"{box}/token", alice, token=token).json["token"]
        self.check("delete", box, alice, token=token)
        self.check("get", box, alice, token=token)
        key = {"restore_key": minted["restore_key"]}
        self.check("post", f"{box}/restore", alice, json={"restore_key": "wrong"})
        self.check("post", f"{box}/restore", alice, json=key)
        self.check("post", f"{box}/restore", alice, json=key)
        small = self.check("post", "/create").json["mailbox"]
        self.check("post", "/send", json={"to": small, "subject": 7})
        self.check("post", "/send", json={"to": "nobody"})
        self.check("post", "/send", json=[])
        self.check("get", "/inbox/{mailbox}", small)
        self.check("get", "/inbox/{mailbox}", "nobody")
        for path in ("/healthz", "/readyz", "/v1/openapi.json", "/docs"):
            self.check("get", path)
        self.assertEqual(self.asked, routes())

    def test_events(self) -> None:
        """Every kind of event is as described."""
        wire = Wire(self.house.site)
        wire.send(b"GET /v1/mailboxes/a%40qa.test/events HTTP/1.1\r\nHost: x\r\n\r\n")
        self.deliver("a@qa.test", RICH)
        self.ask("POST", "/v1/mailboxes/a%40qa.test/extend", json={"lifetime": 3600})
        id_ = self.ask("GET", "/v1/mailboxes/a%40qa.test/messages").json["messages"][0]["id"]
        self.ask("DELETE", f"/v1/mailboxes/a%40qa.test/messages/{id_}")
        self.deliver("a@qa.test", RICH)
        self.ask("DELETE", "/v1/mailboxes/a%40qa.test/messages")
        self.house.turn()
        self.house.turn(7200)
        self.house.store.expire(self.house.clock.seconds() + 1)
        self.house.turn()
        streamed = re.findall(r"\nid: ([^\n]*)\ndata: ([^\n]*)\n", wire.take().decode())
        members = DOCUMENT["components"]["schemas"]["StreamedEvent"]["properties"]
        self.assertEqual([*members], ["id", "data"])
        self.assertEqual(members["data"]["contentSchema"], {"$ref": "#/components/schemas/Event"})
        found = [json.loads(document) for _, document in streamed]
        self.assertEqual([cursor for cursor, _ in streamed], [event["cursor"] for event in found])
        kinds = {event["type"] for event in found}
        self.assertEqual(kinds, {"message", "extended", "deleted", "emptied", "expired"})
        for event in found:
            self.assertEqual(faults(event, DOCUMENT["components"]["schemas"]["Event"]), [])


class PageTests(WebTestCase):
    """``/docs``."""

    def make_house(self) -> House:
        """Below a base path."""
        return House(exposure=Exposure(base_path="/mail"))

    def test_page(self) -> None:
        """It names every operation, and asks nothing of any host."""
        answer = self.ask("GET", "/mail/docs")
        self.assertEqual(answer.headers["content-type"], "text/html; charset=utf-8")
        text = answer.body.decode()
        for path in DOCUMENT["paths"]:
            self.assertIn(f"<code>{path}</code>", text)
        self.assertNotIn("http:", text)
        self.assertNotIn("https:", text)
        self.assertNotIn("src=", text)
        self.assertIn('href="v1/openapi.json"', text)

    def test_policy(self) -> None:
        """Its policy lets its own style in and nothing else."""
        policy = self.ask("GET", "/docs").headers["content-security-policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)

    def test_well_formed(self) -> None:
        """Every element that is opened is closed."""
        opened: list[str] = []

        class Reader(HTMLParser):
            def handle_starttag(self, tag: str, attrs: object) -> None:
                if tag != "meta":
                    opened.append(tag)

            def handle_endtag(self, tag: str) -> None:
                if opened.pop() != tag:
                    raise ValueError(tag)

        Reader().feed(self.ask("GET", "/docs").body.decode())
        self.assertEqual(opened, [])
