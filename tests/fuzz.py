"""Laws that can be tried for as long as one likes.

A moment by default; for longer, say for how many seconds each:

    TEMPMAIL_FUZZ_SECONDS=600 python -m twisted.trial tests.smtp.test_robustness tests.web.test_fuzz
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from hypothesis import HealthCheck, settings

SECONDS = float(os.environ.get("TEMPMAIL_FUZZ_SECONDS", "0"))

law = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def tried_for_long(law: Callable[[Any], None]) -> Callable[[Any], None]:
    """Try a law once, and again till the time is up."""

    @wraps(law)
    def again(self: Any) -> None:
        until = time.monotonic() + SECONDS
        law(self)
        while time.monotonic() < until:
            law(self)

    return again
