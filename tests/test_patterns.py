"""Regular expressions that Debian 12's Python 3.11.2 must understand as later ones do."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

import tempmail

_ONE_CHARACTER = (_constants.IN, _constants.LITERAL, _constants.NOT_LITERAL, _constants.ANY)


def patterns() -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Every compiled pattern a module keeps, by itself or as a method of it."""
    for found in pkgutil.walk_packages(tempmail.__path__, "tempmail."):
        if not found.name.endswith("__main__"):
            for name, value in vars(import_module(found.name)).items():
                pattern = getattr(value, "__self__", value)
                if isinstance(pattern, re.Pattern):
                    yield f"{found.name}.{name}", pattern


def bare_bodies(parsed: Any) -> Iterator[Any]:
    """What is repeated possessively without being a single character or an atomic group."""
    for kind, value in parsed:
        if kind is _constants.POSSESSIVE_REPEAT:
            [first, *others] = list(value[2])
            if others or first[0] not in (*_ONE_CHARACTER, _constants.ATOMIC_GROUP):
                yield value[2]
        for part in _parts(value):
            yield from bare_bodies(part)


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, _parser.SubPattern):
        yield value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _parts(each)


class PossessiveTests(SynchronousTestCase):
    """Python before 3.11.5, Debian 12's for one, gets ``(?:...)*+`` wrong: the text that the last,
    failed attempt took stays taken. ``(?:(?>...))*+`` means the same and is right everywhere."""

    def test_bodies_are_atomic(self) -> None:
        """What is repeated possessively is one character or an atomic group."""
        found = list(patterns())
        self.assertGreater(len(found), 20)
        bare = [
            name for name, one in found for _ in bare_bodies(_parser.parse(one.pattern, one.flags))
        ]
        self.assertEqual(bare, [])

    def test_the_rule_itself(self) -> None:
        """The walk finds what it is to find, and an atomic body is right on this Python."""
        self.assertEqual(len(list(bare_bodies(_parser.parse(r"a(?:b(?:cd)*+)?")))), 1)
        self.assertEqual(len(list(bare_bodies(_parser.parse(r"a(?:b(?:(?>cd))*+)?[xy]++")))), 0)
        found = re.match(r"[a-z]++(?:(?>\.[a-z]++))*+", "a.b.@c")
        assert found is not None
        self.assertEqual(found[0], "a.b")
