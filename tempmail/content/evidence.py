"""What speaks for or against something being what a mail was sent for."""

from __future__ import annotations

import math

from attrs import frozen

from tempmail.content.cues import Kind

BELIEVABLE = 0.5
"""The confidence from which a code or a link is told to a client as that of the mail."""


def confidence(log_odds: float) -> float:
    """Evidence added up, as a probability of three digits (the logistic function)."""
    return round(1 / (1 + math.exp(-log_odds)), 3)


@frozen
class Evidence:
    """Something that speaks for or against a candidate: log-odds, and words for the reason."""

    weight: float
    words: str = ""
    kind: Kind | None = None
    """For the name of a candidate: how plainly it names a code."""

    outright: bool = False
    """For a name: whether the candidate is presented with it, as in *your code is 482913*."""

    far: bool = False
    """For a name: whether it is from another sentence, so that a nearer one may be better."""
