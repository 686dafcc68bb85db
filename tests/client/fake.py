"""A server that lives in memory: the interface, as far as the client uses it."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from typing import Any

from attrs import define, field
from twisted.internet.task import Clock
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

Answer = tuple[int, dict[str, str], bytes | None]
TOKEN = "tok-very-secret"
ADDRESS = "k3v9@mail.test"


@define
class FakeBox:
    """A mailbox of the fake server; mail is whole message documents, oldest first."""

    address: str
    token: str = TOKEN
    public: bool = False
    last: int = 0
    mail: list[dict[str, Any]] = field(factory=list)
    expires_at: str = "2030-01-01T00:10:00Z"

    def document(self) -> dict[str, Any]:
        return {
            "address": self.address,
            "public": self.public,
            "created_at": "2030-01-01T00:00:00.250Z",
            "expires_at": self.expires_at,
            "max_expires_at": "2030-01-02T00:00:00Z",
            "cursor": str(self.last),
            "message_count": len(self.mail),
            "unseen_count": len(self.mail),
            "size": 100 * len(self.mail),
            "colour": "a member of a later version",
        }


class FakeServer(Resource):
    """The interface, as far as the client uses it.

    `canned` answers (status, headers, body) are given first, one for each request, and never end
    where the body is None; `mute` never answers. `seen` keeps (method, path segments, query, token,
    body) of every request.
    """

    def __init__(self, clock: Clock) -> None:
        Resource.__init__(self)
        self.isLeaf = True
        self.clock = clock
        self.boxes: dict[str, FakeBox] = {}
        self.canned: deque[Answer] = deque()
        self.mute = False
        self.held: list[tuple[Request, Sequence[FakeBox], Any, Any]] = []
        self.seen: list[tuple[str, list[str], dict[str, str], str, Any]] = []

    def render(self, request: Request) -> Any:
        path = [segment.decode() for segment in request.postpath or ()]
        query = {name.decode(): values[0].decode() for name, values in request.args.items()}
        token = (request.getHeader("authorization") or "").removeprefix("Bearer ")
        content = request.content.read() if request.content else b""
        body = json.loads(content) if content else None
        self.seen.append((request.method.decode(), path, query, token, body))
        if self.mute:
            return NOT_DONE_YET
        if self.canned:
            status, headers, octets = self.canned.popleft()
            for name, value in headers.items():
                request.setHeader(name, value)
            request.setResponseCode(status)
            if octets is None:
                request.write(b"{")
                return NOT_DONE_YET
            return octets
        return self.route(request, path[path.index("v1") + 1 :], query, token, body)

    def route(self, request: Request, path: list[str], query: Any, token: str, body: Any) -> Any:
        method = request.method.decode()
        if path == ["domains"]:
            return self.answer(
                request,
                {"domains": [{"domain": "mail.test", "mode": "minted"}], "max_lifetime": 86400},
            )
        if path == ["mailboxes"]:
            return self.mint(request, body or {})
        if path == ["wait"]:
            return self.watch(request, body)
        box = self.boxes.get(path[1])
        if path[2:] == ["restore"]:
            return self.mint(request, {"local_part": path[1].split("@")[0]})
        if not token and (box is None or not box.public):
            return self.problem(request, 401, "Unauthorized")
        if box is None or (token and token != box.token):
            return self.problem(request, 404, "Not Found", "no such mailbox")
        return self.within(request, box, method, path[2:], query, body)

    def mint(self, request: Request, wish: dict[str, Any]) -> Any:
        address = f"{wish.get('local_part', 'k3v9')}@{wish.get('domain', 'mail.test')}"
        if wish.get("lifetime", 1) > 86400:
            rows = [{"field": "lifetime", "detail": "is at most 86400"}]
            return self.problem(request, 422, "Unprocessable", errors=rows)
        if address in self.boxes:
            return self.problem(request, 409, "Conflict", "the address is taken")
        self.boxes[address] = box = FakeBox(address, public=wish.get("public", False))
        secrets = {"token": box.token, "restore_key": "restore-secret"}
        return self.answer(request, {**box.document(), **secrets}, 201)

    def within(
        self, request: Request, box: FakeBox, method: str, path: list[str], query: Any, body: Any
    ) -> Any:
        match (method, *path):
            case ("GET",):
                return self.answer(request, box.document())
            case ("DELETE",):
                self.delete(box.address)
                return self.answer(request, None, 204)
            case ("POST", "token"):
                box.token = "tok-new"
                return self.answer(request, {"token": box.token})
            case ("POST", "extend"):
                box.expires_at = "2030-01-01T01:00:00Z"
                return self.answer(request, box.document())
            case ("GET", "wait"):
                seconds = float(query["timeout"])
                return self.hold(request, [box], seconds, lambda late: self.find(box, query, late))
            case ("GET", "messages"):
                seconds = float(query.get("wait", 0))
                return self.hold(request, [box], seconds, lambda late: self.list(box, query, late))
            case ("DELETE", "messages"):
                box.mail.clear()
                return self.answer(request, None, 204)
            case (_, "messages", message_id, *rest):
                return self.message(request, box, method, message_id, rest)
        return self.problem(request, 404, "Not Found", "no such path")

    def message(
        self, request: Request, box: FakeBox, method: str, message_id: str, rest: list[str]
    ) -> Any:
        for document in box.mail:
            if document["id"] == message_id:
                if method == "DELETE":
                    box.mail.remove(document)
                    return self.answer(request, None, 204)
                if rest:
                    return b"\x1b[2J" + "/".join(rest).encode() + b"\x00"
                return self.answer(request, document)
        return self.problem(request, 404, "Not Found", "no such message")

    def list(self, box: FakeBox, query: Any, late: bool) -> Any:
        found = matching(box, query)[: int(query.get("limit", 50))]
        cursor = found[-1]["cursor"] if found else query.get("after", "0")
        if found or late:
            return {
                "messages": found,
                "cursor": cursor,
                "expires_at": box.expires_at,
                "timed_out": not found,
            }
        return None

    def find(self, box: FakeBox, query: Any, late: bool) -> Any:
        want = query["want"]
        for document in matching(box, query):
            if want == "message" or document[want]:
                answer = {"message": document, "cursor": document["cursor"], "timed_out": False}
                return {**answer, "code": document["code"], "link": document["link"]}
        if late:
            cursor = str(max(box.last, int(query.get("after", "0"))))
            return {
                "message": None,
                "code": None,
                "link": None,
                "cursor": cursor,
                "timed_out": True,
            }
        return None

    def watch(self, request: Request, body: Any) -> Any:
        asked = body["mailboxes"]
        boxes = [self.boxes[one["address"]] for one in asked if one["address"] in self.boxes]

        def look(late: bool) -> Any:
            entries = [self.entry(one, body) for one in asked]
            news = any("problem" in one or one["messages"] for one in entries)
            return {"mailboxes": entries, "timed_out": not news} if news or late else None

        return self.hold(request, boxes, body["timeout"], look)

    def entry(self, asked: Any, body: Any) -> Any:
        box = self.boxes.get(asked["address"])
        if box is not None and (box.public or asked.get("token") == box.token):
            page = self.list(box, {**asked, "limit": body.get("limit", 50)}, True)
            return {"address": box.address, **page}
        status, title = (404, "Not Found") if "token" in asked else (401, "Unauthorized")
        if box is None and asked.get("token") == TOKEN:
            status, title = 410, "Gone"
        problem = {"type": "about:blank", "title": title, "status": status, "detail": "no"}
        return {"address": asked["address"], "problem": problem}

    def hold(self, request: Request, boxes: Sequence[FakeBox], seconds: float, look: Any) -> Any:
        found = look(seconds == 0)
        if found is not None:
            return self.answer(request, found)
        timer = self.clock.callLater(seconds, lambda: self.release(entry, True))
        entry = (request, boxes, look, timer)
        self.held.append(entry)
        request.notifyFinish().addErrback(lambda _: self.drop(entry))
        return NOT_DONE_YET

    def drop(self, entry: Any) -> None:
        if entry in self.held:
            self.held.remove(entry)
        if entry[3].active():
            entry[3].cancel()

    def release(self, entry: Any, late: bool) -> None:
        found = entry[2](late)
        if found is not None:
            self.drop(entry)
            entry[0].write(self.answer(entry[0], found))
            entry[0].finish()

    def deliver(self, address: str = ADDRESS, **members: Any) -> str:
        """Mail arrives; returns its id."""
        box = self.boxes[address]
        box.last += 1
        box.mail.append(mail(box.last, **members))
        for entry in list(self.held):
            if box in entry[1]:
                self.release(entry, False)
        return f"m{box.last}"

    def delete(self, address: str) -> None:
        """The mailbox goes; whoever waits is told at once."""
        box = self.boxes.pop(address)
        for entry in list(self.held):
            if len(entry[1]) > 1 and box in entry[1]:
                self.release(entry, False)
            elif box in entry[1]:
                self.drop(entry)
                entry[0].write(self.problem(entry[0], 410, "Gone", "the mailbox was deleted"))
                entry[0].finish()

    def restart(self) -> None:
        """Every connection is lost; mailboxes stay, as with a store that lasts."""
        for entry in list(self.held):
            self.drop(entry)
            entry[0].loseConnection()

    def answer(self, request: Request, document: Any, status: int = 200) -> bytes:
        request.setResponseCode(status)
        request.setHeader("content-type", "application/json")
        return b"" if document is None else json.dumps(document).encode()

    def problem(
        self, request: Request, status: int, title: str, detail: str = "", errors: Any = ()
    ) -> bytes:
        document = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        octets = self.answer(request, {**document, "errors": list(errors)}, status)
        request.setHeader("content-type", "application/problem+json")
        return octets


def matching(box: FakeBox, query: Any) -> list[dict[str, Any]]:
    """The mail that a list or a wait with this query is about."""
    return [
        document
        for document in box.mail
        if int(document["cursor"]) > int(query.get("after", "0"))
        and query.get("subject", "").lower() in document["subject"].lower()
        and query.get("from", "").lower() in document["from"]["address"].lower()
    ]


def mail(number: int, **members: Any) -> dict[str, Any]:
    """A whole message document with everything that the interface names, and more."""
    return {
        "id": f"m{number}",
        "cursor": str(number),
        "received_at": "2030-01-01T00:00:05Z",
        "from": {"name": "Shop", "address": "shop@example.org"},
        "to": [ADDRESS],
        "subject": f"mail {number}",
        "preview": "…",
        "size": 100,
        "seen": False,
        "has_html": False,
        "attachment_count": 1,
        "code": None,
        "link": None,
        "headers": [["Subject", f"mail {number}"], ["X-Note", "a\r\n b"]],
        "text": f"text {number}\r\n",
        "html": None,
        "attachments": [{"index": 0, "filename": "a.txt", "content_type": "text/plain", "size": 3}],
        "codes": [{"value": "123456", "confidence": 0.9, "reason": "near the word code"}],
        "links": [{"url": "https://example.org/v", "kind": "action", "new": 1}],
        "envelope": {"mail_from": "shop@example.org"},
        "defects": [],
        "weight": {"a member": "of a later version"},
        **members,
    }
