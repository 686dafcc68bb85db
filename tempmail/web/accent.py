"""The page's one colour, readable whatever the operator chose.

Text in the colour stands on the page, on a tint of the colour, and text of the page stands on the
colour itself. Each pair has a contrast of at least 4.5 to 1 (WCAG 2.2, success criterion 1.4.3), in
the light scheme and in the dark one: where the colour given has less, it is made darker or lighter,
in its own hue, until it has.
"""

from __future__ import annotations

from collections.abc import Iterable
from colorsys import hls_to_rgb, rgb_to_hls

Colour = tuple[int, int, int]

DEFAULT = "#0b6b50"

CONTRAST = 4.5

# What the sheets of the page have for these, as the darkest and lightest that text may stand on.
LIGHT_PAPERS: tuple[Colour, ...] = ((0xFB, 0xFA, 0xF8), (0xFF, 0xFF, 0xFF))
DARK_PAPERS: tuple[Colour, ...] = ((0x14, 0x15, 0x16), (0x1D, 0x1F, 0x20))

# In the dark a colour that can just be read looks dull, and a saturated one glares.
_GOAL_IN_THE_DARK = 7.0
_MOST_SATURATION = 0.6

_BLACK, _WHITE = 0.0, 1.0
_TINT = 0.10
_STEPS = 50


def stylesheet(colour: str) -> bytes:
    """The style sheet for ``#rrggbb``."""
    chosen = colour_of(colour)
    light, paper = readable(chosen, LIGHT_PAPERS, _BLACK, CONTRAST), LIGHT_PAPERS
    dark, night = readable(chosen, DARK_PAPERS, _WHITE, _GOAL_IN_THE_DARK), DARK_PAPERS
    return (
        f"{_rules(light, paper[0], paper[1])}"
        f"@media (prefers-color-scheme: dark) {{\n{_rules(dark, night[0], night[0])}}}\n"
    ).encode()


def colour_of(text: str) -> Colour:
    """``#rrggbb`` in numbers."""
    red, green, blue = bytes.fromhex(text[1:])
    return red, green, blue


def readable(
    colour: Colour, papers: Iterable[Colour], towards: float, goal: float = CONTRAST
) -> Colour:
    """The colour, its lightness moved no further than needed to have that contrast to the papers.

    ``towards`` is 0 for black and 1 for white.
    """
    grounds = list(papers)
    hue, lightness, saturation = rgb_to_hls(*(value / 255 for value in colour))
    moved = colour
    for step in range(_STEPS + 1):
        lighter = lightness + (towards - lightness) * step / _STEPS
        if step:
            calm = min(saturation, _MOST_SATURATION) if towards == _WHITE else saturation
            moved = _whole(hls_to_rgb(hue, lighter, calm))
        if all(
            contrast(moved, ground) >= goal
            for paper in grounds
            for ground in (paper, mixed(paper, moved, _TINT))
        ):
            break
    return moved


def _whole(shares: tuple[float, float, float]) -> Colour:
    red, green, blue = (round(255 * share) for share in shares)
    return red, green, blue


def contrast(one: Colour, other: Colour) -> float:
    """The contrast ratio of WCAG 2.2, from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """``one`` with that share of ``other``, as CSS mixes in sRGB."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _luminance(colour: Colour) -> float:
    """Relative luminance (WCAG 2.2, definitions)."""
    shares = (value / 255 for value in colour)
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _rules(accent: Colour, paper: Colour, on_accent: Colour) -> str:
    named = {"accent": accent, "on-accent": on_accent, "tint": mixed(paper, accent, _TINT)}
    rules = "".join(f"  --{name}: #{bytes(value).hex()};\n" for name, value in named.items())
    return f":root {{\n{rules}}}\n"
