"""twisted.mail as it comes, keeping nothing: ``python -m benchmarks.stock PORT``."""

from __future__ import annotations

import sys

from twisted.internet import reactor
from twisted.internet.defer import Deferred, succeed
from twisted.mail.interfaces import IMessageDelivery, IMessageSMTP
from twisted.mail.smtp import ESMTP, SMTPFactory, User
from zope.interface import implementer


@implementer(IMessageSMTP)
class Nothing:
    """A message that is thrown away line by line."""

    def lineReceived(self, line: bytes) -> None:
        """Forget a line."""

    def eomReceived(self) -> Deferred[None]:
        """It was the last."""
        return succeed(None)

    def connectionLost(self) -> None:
        """There will be no more."""


@implementer(IMessageDelivery)
class Anyone:
    """Takes mail from anyone for anyone."""

    def receivedHeader(self, helo: object, origin: object, recipients: object) -> bytes:
        return b""

    def validateFrom(self, helo: object, origin: object) -> object:
        return origin

    def validateTo(self, user: User) -> type[Nothing]:
        return Nothing


class Factory(SMTPFactory):
    """Sessions without a line of log each."""

    noisy = False

    def buildProtocol(self, addr: object) -> ESMTP:
        session = ESMTP()
        session.delivery = Anyone()
        session.noisy = False
        return session


if __name__ == "__main__":
    factory = Factory()  # type: ignore[no-untyped-call]
    reactor.listenTCP(int(sys.argv[1]), factory, backlog=1024, interface="127.0.0.1")
    reactor.run()
