"""TLS as a server does it: which certificate is shown, and taking up renewed ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from OpenSSL import SSL, crypto
from twisted.application.service import Service
from twisted.internet.interfaces import (
    IOpenSSLServerConnectionCreator,
    IProtocolFactory,
    IReactorTime,
)
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from tempmail.certificates import BadCertificate, Identity, Source
from tempmail.core.limits import CERTIFICATE_LOOK_SECONDS

# The suites of TLS 1.2 that are both forward secret and authenticated (RFC 9325 section 4.2, and
# what Mozilla calls intermediate); those of TLS 1.3 all are.
_SUITES = b"ECDHE+AESGCM:ECDHE+CHACHA20"
# Nothing is resumed, by tickets or by a cache: every session has keys of its own, and there is no
# ticket key that would have to be changed, kept secret, and kept apart for each name. In TLS 1.3
# OpenSSL sends two tickets nonetheless (SSL_CTX_set_num_tickets, which pyOpenSSL does not have);
# with this option they only number sessions of a cache, which there is none of.
_OPTIONS = (
    SSL.OP_NO_COMPRESSION
    | SSL.OP_NO_RENEGOTIATION
    | SSL.OP_NO_TICKET
    | SSL.OP_CIPHER_SERVER_PREFERENCE
)


@implementer(IOpenSSLServerConnectionCreator)
class ServerTLS:
    """What Twisted asks for each connection under TLS. What is shown can change at any time.

    A client that names a server (SNI, RFC 6066 section 3) is shown the first certificate for that
    name, and the first of all where none is or it names nobody. ``protocols`` are those agreed on
    by ALPN (RFC 7301); a client that offers only others is refused.
    """

    def __init__(self, identities: Sequence[Identity], protocols: Sequence[bytes] = ()) -> None:
        self._protocols = tuple(protocols)
        self.show(identities)

    def show(self, identities: Sequence[Identity]) -> None:
        """Show these from the next handshake on; where there are none, those of before.

        Raises :exc:`BadCertificate`, changing nothing.
        """
        if not identities:
            return
        contexts = [_context(identity, self._protocols) for identity in identities]
        by_name: dict[bytes, SSL.Context] = {}
        for identity, context in zip(identities, contexts, strict=True):
            for name in identity.names:
                by_name.setdefault(name.encode(), context)

        def select(connection: SSL.Connection) -> None:
            name = (connection.get_servername() or b"").lower()
            named = by_name.get(name) or by_name.get(b"*." + name.partition(b".")[2])
            if named is not None:
                connection.set_context(named)

        contexts[0].set_tlsext_servername_callback(select)
        self._default = contexts[0]

    def serverConnectionForTLS(self, protocol: object) -> SSL.Connection:
        """A connection that has not shaken hands yet."""
        return SSL.Connection(self._default, None)


def beneath_tls(factory: IProtocolFactory, tls: ServerTLS, clock: IReactorTime) -> IProtocolFactory:
    """The factory for connections that are under TLS from their first octet.

    What an endpoint such as ``haproxy:`` puts around it comes before TLS on the wire.
    """
    wrapped: IProtocolFactory = TLSMemoryBIOFactory(tls, False, factory, clock)
    return wrapped


class Certificates:
    """The certificates in use, shown in two ways.

    ``mail`` is for SMTP, ``web`` for HTTP/1.1. Raises :exc:`BadCertificate`.
    """

    _log = Logger()

    def __init__(self, source: Source) -> None:
        self._source = source
        self._seen = source.look()
        identities = source.read()
        self._shown: Sequence[Identity] = identities
        # Those that may yet be late.
        self._watched = list(identities)
        self.mail = ServerTLS(identities)
        self.web = ServerTLS(identities, [b"http/1.1"])

    @property
    def offered(self) -> bool:
        """Whether there are any, so that TLS can be offered."""
        return not self._source.empty

    @property
    def ends(self) -> dict[str, float]:
        """When they end, in seconds since the epoch, by the first of the names each is for.

        Of several with the same one, or with none, it is the end that comes first.
        """
        ends: dict[str, float] = {}
        for identity in self._shown:
            name = "".join(identity.names[:1])
            end = identity.leaf.not_valid_after_utc.timestamp()
            ends[name] = min(end, ends.get(name, end))
        return ends

    def use(self, source: Source) -> None:
        """Take them from there from now on. Raises :exc:`BadCertificate`, changing nothing."""
        if source.made_for and source == self._source:
            # One made anew would be another for no reason.
            return
        seen = source.look()
        self._show(source.read())
        self._source, self._seen = source, seen

    def renew(self) -> None:
        """Read the files again where one changed; where that fails everything stays.

        What is written just now is seen to have changed again the next time.
        """
        seen = self._source.look()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._show(self._source.read())
        except BadCertificate as error:
            self._log.error("the certificates stay as they were: {error}", error=str(error))
        else:
            self._log.info("renewed certificates are in use")

    def warn(self, now: datetime) -> None:
        """Say once of each certificate that it should have been renewed."""
        for identity in [each for each in self._watched if each.due <= now]:
            self._watched.remove(identity)
            self._log.warn(
                "the certificate for {names} ends on {end:%Y-%m-%d} and was not renewed",
                names=", ".join(identity.names),
                end=identity.leaf.not_valid_after_utc,
            )

    def _show(self, identities: Sequence[Identity]) -> None:
        self.mail.show(identities)
        self.web.show(identities)
        self._shown, self._watched = identities, list(identities)


class Renewal(Service):
    """Looks for renewed certificates again and again."""

    _log = Logger()

    def __init__(self, clock: IReactorTime, certificates: Certificates) -> None:
        self._clock = clock
        self._certificates = certificates
        self._loop = LoopingCall(self._look)
        self._loop.clock = clock

    def startService(self) -> None:
        """Begin; the first look is some time from now."""
        super().startService()  # type: ignore[no-untyped-call]
        self._loop.start(CERTIFICATE_LOOK_SECONDS, now=False)

    def stopService(self) -> None:
        """Look no more."""
        super().stopService()  # type: ignore[no-untyped-call]
        if self._loop.running:
            self._loop.stop()

    def _look(self) -> None:
        try:
            self._certificates.renew()
            self._certificates.warn(datetime.fromtimestamp(self._clock.seconds(), UTC))
        except Exception:
            # A LoopingCall that fails once never runs again.
            self._log.failure("looking for renewed certificates failed")


def _context(identity: Identity, protocols: tuple[bytes, ...]) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(_OPTIONS)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    # An idle connection keeps no buffers.
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    try:
        context.use_certificate(crypto.X509.from_cryptography(identity.leaf))
        for certificate in identity.chain[1:]:
            context.add_extra_chain_cert(crypto.X509.from_cryptography(certificate))
        context.use_privatekey(crypto.PKey.from_cryptography_key(identity.key))
        context.check_privatekey()
    except (SSL.Error, TypeError) as error:
        names = ", ".join(identity.names) or "no name"
        raise BadCertificate(
            f"OpenSSL does not take the certificate for {names}: {_reason(error)}"
        ) from None

    def agree(connection: SSL.Connection, offered: list[bytes]) -> bytes:
        for protocol in protocols:
            if protocol in offered:
                return protocol
        # Which ends the handshake with the alert no_application_protocol.
        raise SSL.Error([("tempmail", "", "no application protocol")])

    if protocols:
        context.set_alpn_select_callback(agree)
    context.set_cipher_list(_SUITES)
    return context


def _reason(error: Exception) -> str:
    """The last of what OpenSSL has to say, which is a list of (library, function, reason)."""
    told = error.args[0] if error.args else ""
    return str(told[-1][-1] if isinstance(told, list) and told else error)
