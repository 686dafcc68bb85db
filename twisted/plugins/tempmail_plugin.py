"""Makes ``twistd tempmail`` known to twistd. Twisted imports this at each start: keep it small."""

from typing import Any

from twisted.application.service import ServiceMaker


class Maker(ServiceMaker):
    """Asked for its options when it is what twistd is to run."""

    @property
    def options(self) -> Any:
        """Our options. To import them takes half a second, in which SIGHUP would end us."""
        from tempmail.signals import hold_back_signals

        hold_back_signals()
        return super().options


tempmail = Maker(
    "tempmail", "tempmail.service", "Receive mail for short-lived addresses", "tempmail"
)
