"""A client for the tempmail HTTP interface, version 1, on treq.

    client = open_client(reactor, "http://127.0.0.1:8080")
    box = await client.mint()
    code = await box.wait_code(timeout=30)

Methods are coroutines, to be awaited from a coroutine that Twisted drives; whoever wants a Deferred
says `Deferred.fromCoroutine(box.wait_code())`. Cancelling that Deferred abandons the request and
leaves no timer. All times are seconds; whatever goes wrong is a `TempmailError`.
"""

from tempmail.client.box import Box, Feed
from tempmail.client.client import Client, open_client
from tempmail.client.errors import (
    BadAnswer,
    Gone,
    NotFound,
    Problem,
    RateLimited,
    Taken,
    TempmailError,
    Unauthorized,
    Unavailable,
    Unreachable,
    WaitTimedOut,
    Want,
)
from tempmail.client.values import (
    Attachment,
    Attempt,
    Code,
    Document,
    Domain,
    Domains,
    Found,
    Link,
    Mailbox,
    Message,
    Page,
    Person,
    Summary,
)

__all__ = [
    "Attachment",
    "Attempt",
    "BadAnswer",
    "Box",
    "Client",
    "Code",
    "Document",
    "Domain",
    "Domains",
    "Feed",
    "Found",
    "Gone",
    "Link",
    "Mailbox",
    "Message",
    "NotFound",
    "Page",
    "Person",
    "Problem",
    "RateLimited",
    "Summary",
    "Taken",
    "TempmailError",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
    "WaitTimedOut",
    "Want",
    "open_client",
]
