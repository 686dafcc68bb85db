"""Several mailboxes at once: one question, and what it brought."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

from tempmail.client.box import Box
from tempmail.client.errors import BadAnswer, WaitTimedOut, problem_at
from tempmail.client.limits import HOLD, MARGIN
from tempmail.client.patience import Patience
from tempmail.client.values import Page, Summary, value_of
from tempmail.client.wire import Wire

News = dict[Box, tuple[Summary, ...]]


async def wait_at(
    wire: Wire, patience: Patience, boxes: Sequence[Box], timeout: float, limit: int | None
) -> News:
    """What `Client.wait_any` brings."""
    while True:
        hold = ceil(min(HOLD, patience.left()))
        asked = _question(boxes, hold, limit)
        answer = await patience.persist(
            lambda: wire.ask("POST", "/v1/wait", body=asked, seconds=hold + MARGIN)  # noqa: B023
        )
        news = _news(boxes, answer)
        if news:
            return news
        if not patience.left():
            addresses = ", ".join(box.address for box in boxes)
            raise WaitTimedOut("message", addresses, timeout, cursor="")
        await patience.after_nothing(hold)


def _question(boxes: Sequence[Box], hold: int, limit: int | None) -> dict[str, Any]:
    mailboxes = [
        {"address": box.address, "after": box.told}
        | ({} if box.token is None else {"token": box.token})
        for box in boxes
    ]
    also = {} if limit is None else {"limit": limit}
    return {"mailboxes": mailboxes, "timeout": hold, **also}


def _news(boxes: Sequence[Box], answer: Any) -> News:
    """The mail of those that have some. Only a whole answer moves a handle on."""
    try:
        entries = list(zip(boxes, answer["mailboxes"], strict=True))
        for box, entry in entries:
            if "problem" in entry:
                raise problem_at(box.address, entry["problem"])
    except (KeyError, TypeError, ValueError) as problem:
        raise BadAnswer("the server sent something else than these mailboxes") from problem
    pages = [(box, value_of(Page, entry)) for box, entry in entries]
    news = {box: page.messages for box, page in pages if page.messages}
    for box, page in pages:
        box.told = page.cursor or box.told
    return news
