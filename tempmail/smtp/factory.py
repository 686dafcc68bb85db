"""All SMTP sessions: who is let in, how long they may take, and the end of all."""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.mail.smtp import SMTPFactory

from tempmail.blocklists import BlockedSenders, DnsBlocklists
from tempmail.core.limits import LINGER_SECONDS, SWEEP_SECONDS, Limits
from tempmail.core.peer import Held, client_key
from tempmail.interfaces import IMailDrop
from tempmail.rates import Rates
from tempmail.smtp import replies
from tempmail.smtp.session import Session
from tempmail.smtp.traffic import Traffic


class SessionFactory(SMTPFactory):
    """Makes sessions, counts them, and ends those that take too long.

    No session has a timer for its times: one sweep a second looks at all of them, which costs less
    than a timer touched with every segment. ``now`` is the clock as of the last sweep. Without
    ``rates`` clients may do as much as they like; ``lists`` are asked whose mail to refuse, besides
    ``blocked``. With ``any_login`` AUTH is offered, and any name and password will do. ``aloud``
    has sessions written to the log, at debug.
    """

    log = Logger()
    noisy = False

    def __init__(
        self,
        drop: IMailDrop,
        clock: IReactorTime,
        hostname: str,
        tls: object | None = None,
        rates: Rates | None = None,
        lists: DnsBlocklists | None = None,
    ) -> None:
        self.drop = drop
        self.tls = tls
        self.traffic = Traffic()
        self.aloud = self.any_login = False
        self.rates = rates or Rates(clock, Limits().without_client_limits())
        self.lists = lists
        self.blocked: BlockedSenders | None = None
        self.hostname = hostname
        self.greeting = replies.greeting(hostname)
        self.hello = replies.hello(hostname)
        self.now = clock.seconds()
        self.clock = clock
        # Each with the client it counts for, None where it was refused.
        self._sessions: dict[Session, str | None] = {}
        self._held = Held()
        self._admitted = 0
        self._closed: Deferred[None] | None = None
        self._last_call: IDelayedCall | None = None
        self._sweeping = LoopingCall(self._sweep)
        self._sweeping.clock = clock

    # --- what Twisted calls ---

    def startFactory(self) -> None:
        if not self._sweeping.running:
            self._sweeping.start(SWEEP_SECONDS)

    def buildProtocol(self, addr: IAddress | None) -> Session | None:  # type: ignore[override]
        if self._closed is not None and self._closed.called:
            return None
        return Session(self, addr.host if isinstance(addr, IPv4Address | IPv6Address) else "")

    # --- what sessions ask ---

    def extended_hello(self, secure: bool) -> bytes:
        """The answer to EHLO."""
        size, start_tls = self.drop.limits.max_message_size, self.tls is not None and not secure
        return replies.extended_hello(self.hostname, size, start_tls, self.any_login)

    def admit(self, session: Session) -> bytes | None:
        """Let a new session in; returns the refusal where there are too many.

        Those refused count against nobody, or a client that comes too often would keep out others.
        """
        self._sessions[session] = None
        self.traffic.connections += 1
        if self._closed is not None:
            return replies.SHUTTING_DOWN
        if self._admitted >= self.drop.limits.max_connections:
            self.rates.refused["max_connections"] += 1
            return replies.TOO_MANY_CONNECTIONS
        return self._count_in(session)

    def recount(self, session: Session) -> bytes | None:
        """Count a session for another client than before; returns the refusal as ``admit``."""
        self._count_out(session)
        return self._count_in(session)

    def left(self, session: Session) -> None:
        """Forget a session that is gone."""
        self._count_out(session)
        del self._sessions[session]
        if self._closed is not None and not self._sessions:
            self._all_gone()

    @property
    def connections(self) -> int:
        """How many there are, with those we only wait for to hang up."""
        return len(self._sessions)

    @property
    def crowded(self) -> bool:
        """Whether those we wait for to hang up take the place of others."""
        limits: Limits = self.drop.limits
        return len(self._sessions) > limits.max_connections

    def _count_in(self, session: Session) -> bytes | None:
        key = client_key(session.peer)
        if key and self._held.of(key) >= self.drop.limits.max_connections_per_client:
            self.rates.refused["max_connections_per_client"] += 1
            return replies.TOO_MANY_CONNECTIONS
        refusal = session.allowance.begin(self.rates.whose(session.peer))
        if refusal is not None:
            return refusal
        if self.lists is not None and session.allowance.client:
            # The answer is there by the time it is asked for.
            self.lists.look_up(session.peer)
        self._sessions[session] = key
        self._held.add(key)
        self._admitted += 1
        return None

    def _count_out(self, session: Session) -> None:
        key = self._sessions[session]
        if key is None:
            return
        self._sessions[session] = None
        self._admitted -= 1
        self._held.drop(key)

    # --- time ---

    def _sweep(self) -> None:
        self.now = self.clock.seconds()
        for session in list(self._sessions):
            try:
                self._check_time(session)
            except Exception:
                # A LoopingCall that fails once never runs again.
                self.log.failure("looking whether a session is overdue failed")

    def _check_time(self, session: Session) -> None:
        limits, now = self.drop.limits, self.now
        if session.over:
            if session.over_at is not None and now - session.over_at > LINGER_SECONDS:
                session.transport.abortConnection()
        elif session.heard_at < 0:
            if now - session.handshake_began_at > limits.tls_handshake_timeout:
                session.transport.abortConnection()
        elif session.busy:
            # The post office owes the answer; the client is not to blame.
            pass
        elif now - session.heard_at > limits.idle_timeout:
            session.end_with(replies.IDLE)
        elif session.intake.frame is not None:
            self._check_rate(session, session.intake.frame.size, now - session.frame_began_at)
        elif now - session.began_at > limits.session_timeout:
            session.end_with(replies.TOO_LONG_A_SESSION)
        elif session.helo is None:
            refusal = session.find_peer()
            if refusal is not None:
                session.end_with(refusal)

    def _check_rate(self, session: Session, size: int, taken: float) -> None:
        """A mail in flight at the end of a session's time may go on for as long again."""
        limits = self.drop.limits
        if size < (taken - limits.idle_timeout) * limits.min_octets_per_second:
            session.end_with(replies.TOO_SLOW)
        elif taken > limits.session_timeout:
            session.end_with(replies.TOO_LONG_A_SESSION)

    # --- the end ---

    def close(self, grace: float) -> Deferred[None]:
        """End every session: idle ones now, those with a mail in flight behind it.

        Fires when all are gone; what is left after ``grace`` seconds is told 421 and cut.
        Cancelling it cuts all at once.
        """
        closed = self._closed = Deferred(lambda _: self._abort_all())
        for session in list(self._sessions):
            session.close_when_idle()
        if self._sessions:
            self._last_call = self.clock.callLater(grace, self._cut_all)
        elif not closed.called:
            self._all_gone()
        return closed

    def _cut_all(self) -> None:
        for session in list(self._sessions):
            session.end_with(replies.SHUTTING_DOWN)
        if self._sessions:
            self._last_call = self.clock.callLater(LINGER_SECONDS, self._abort_all)

    def _abort_all(self) -> None:
        for session in list(self._sessions):
            session.transport.abortConnection()

    def _all_gone(self) -> None:
        if self._last_call is not None and self._last_call.active():
            self._last_call.cancel()
        if self._sweeping.running:
            self._sweeping.stop()
        if self._closed is not None and not self._closed.called:
            self._closed.callback(None)
