"""Makes ``twistd tempmail`` known to twistd. Twisted imports this at each start: keep it small."""

from twisted.application.service import ServiceMaker

tempmail = ServiceMaker(
    "tempmail", "tempmail.service", "Receive mail for short-lived addresses", "tempmail"
)
