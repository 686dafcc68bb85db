"""A headless Chromium that tells everything it does, over its DevTools protocol.

Every tab and every frame is stopped before its first step until it is watched, so nothing that a
document does is missed.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import tempfile
from typing import Any

from attrs import Factory, define

from tests.live.browser import arguments, program
from tests.live.daemon import PATIENCE

_WATCHED = ("page", "iframe")


@define(eq=False)
class Sight:
    """One tab, or one frame that has a process of its own, as it is watched."""

    session: str
    target: str
    kind: str
    parent: str
    urls: list[str] = Factory(list)
    """Where it has been since it was told where to go."""
    loaded: bool = False


class Chromium:
    """The browser, what it shows, and what that did.

    ``sights`` is by session. ``asked`` has the URL of every request a document wanted, with the
    frame it was for, by session and number; those that the browser's policies held back are taken
    out again. ``dialogs`` are the texts of those that opened; each is closed.
    """

    def __init__(self, hosts_at: int) -> None:
        self.sights: dict[str, Sight] = {}
        self.asked: dict[tuple[str, str], tuple[str, str]] = {}
        self.dialogs: list[str] = []
        self._answers: dict[int, Any] = {}
        self._number = 0
        self._received = b""
        self._profile = tempfile.mkdtemp(prefix="chromium-")
        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        # It reads from descriptor 3 and writes to 4, which a shell can arrange without a fork hook.
        script = f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self._process = subprocess.Popen(
            [
                *("/bin/bash", "-c", script),
                *(program("chromium"), "--remote-debugging-pipe"),
                *(*arguments(self._profile, hosts_at), "about:blank"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(theirs_in, theirs_out),
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._watch("")

    def close(self) -> None:
        """End it."""
        self._tell("Browser.close")
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._to)
        os.close(self._from)
        shutil.rmtree(self._profile, ignore_errors=True)

    # --- what a test does ---

    def call(self, method: str, session: str = "", /, **given: object) -> Any:
        """One command, and its result."""
        number = self._tell(method, session, **given)
        self._answers[number] = None
        while self._answers[number] is None:
            self.hear()
        answer = self._answers.pop(number)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return answer["result"]

    def open(self) -> Sight:
        """An empty tab in a window of its own, so it is in sight."""
        target = self.call("Target.createTarget", url="about:blank", newWindow=True)["targetId"]
        while True:
            for sight in self.sights.values():
                if sight.target == target:
                    self.call("Page.enable", sight.session)
                    return sight
            self.hear()

    def visit(self, sight: Sight, url: str) -> None:
        """Begin to load a document in a tab."""
        sight.urls.clear()
        sight.loaded = False
        self._tell("Page.navigate", sight.session, url=url)

    def until_loaded(self, sights: list[Sight]) -> None:
        """Wait until each was loaded."""
        while not all(sight.loaded for sight in sights):
            self.hear()

    def run(self, sight: Sight, script: str) -> Any:
        """What an expression says there, a promise's outcome if it is one."""
        result = self.call(
            "Runtime.evaluate",
            sight.session,
            expression=script,
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in result:
            raise AssertionError(result["exceptionDetails"])
        return result["result"].get("value")

    def hear(self) -> None:
        """Wait for something to be said, and take note of it."""
        ready, _, _ = select.select([self._from], [], [], PATIENCE)
        octets = os.read(self._from, 1 << 16) if ready else b""
        if not octets:
            raise AssertionError("the browser says nothing any more")
        *whole, self._received = (self._received + octets).split(b"\0")
        for text in whole:
            self._note(json.loads(text))

    # --- what it says ---

    def _tell(self, method: str, session: str = "", /, **given: object) -> int:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": given}
        if session:
            message["sessionId"] = session
        octets = json.dumps(message).encode() + b"\0"
        while octets:
            octets = octets[os.write(self._to, octets) :]
        return self._number

    def _watch(self, session: str) -> None:
        self._tell(
            "Target.setAutoAttach",
            session,
            autoAttach=True,
            waitForDebuggerOnStart=True,
            flatten=True,
        )

    def _note(self, message: dict[str, Any]) -> None:
        if "id" in message:
            if message["id"] in self._answers:
                self._answers[message["id"]] = message
            return
        session, said = message.get("sessionId", ""), message["params"]
        match message["method"]:
            case "Target.attachedToTarget":
                self._attached(session, said["sessionId"], said["targetInfo"])
            case "Target.detachedFromTarget":
                self.sights.pop(said["sessionId"], None)
            case "Network.requestWillBeSent":
                wanted = (said.get("frameId", ""), said["request"]["url"])
                self.asked[session, said["requestId"]] = wanted
            case "Network.webSocketCreated":
                self.asked[session, said["requestId"]] = ("", said["url"])
            case "Network.loadingFailed" if "blockedReason" in said:
                self.asked.pop((session, said["requestId"]), None)
            case "Page.frameNavigated":
                sight = self.sights.get(session)
                if sight is not None and said["frame"]["id"] == sight.target:
                    sight.urls.append(said["frame"]["url"])
            case "Page.loadEventFired":
                sight = self.sights.get(session)
                if sight is not None and sight.urls:
                    sight.loaded = True
            case "Page.javascriptDialogOpening":
                self.dialogs.append(f"{said['url']}: {said['message']}")
                self._tell("Page.handleJavaScriptDialog", session, accept=True)

    def _attached(self, parent: str, session: str, target: dict[str, str]) -> None:
        if target["type"] in _WATCHED:
            self.sights[session] = Sight(session, target["targetId"], target["type"], parent)
            self._tell("Network.enable", session)
            self._tell("Page.enable", session)
            self._watch(session)
        self._tell("Runtime.runIfWaitingForDebugger", session)
