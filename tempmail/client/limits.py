"""Every number of the client. The server has its own, which this side does not know."""

WAIT = 60.0
"""Seconds a wait lasts that names no time: mail that is not there after a minute was not sent,
greylisting aside."""
HOLD = 50
"""Seconds one request is held. The server allows 60, and that is where many proxies cut."""
MARGIN = 10.0
"""Seconds after the end of a hold before the answer is late: a slow network, a busy server."""
REQUEST_LIMIT = 30.0
"""Seconds for a request that nothing holds, its answer read to the end."""
DOWNLOAD_LIMIT = 300.0
"""Seconds for octets of any size: 25 MB at 1 Mbit/s, with room."""
CONNECT_LIMIT = 10.0
"""Seconds to connect: two lost SYNs (1 s, then 2 s) and a slow handshake still fit."""
FIRST_PAUSE = 0.5
"""Seconds before the second attempt: a hiccup has passed, a person has not noticed."""
LONGEST_PAUSE = 30.0
"""Seconds: a server that is back is noticed soon, and not hammered while it is away."""
FIRST_CONTACT_ATTEMPTS = 4
"""Attempts before a server that was never there is believed absent: 1.75 to 3.5 s in all, which
outlasts a quick restart and does not keep someone who mistyped an address waiting."""
EARLY_PAUSE = 1.0
"""Seconds to pause when an empty answer comes much too early, as from a stopping server."""
LONGEST_RETRY_AFTER = 3600.0
"""Seconds: a larger Retry-After counts as this much, lest a wrong clock silence us for days."""
