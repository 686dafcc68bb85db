"""What speaks for or against a number being a verification code."""

from __future__ import annotations

from attrs import frozen

from tempmail.content.cues import Kind


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
