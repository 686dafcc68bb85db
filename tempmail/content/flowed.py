"""``format=flowed``: paragraphs put together again (RFC 3676 section 4)."""

from __future__ import annotations

import re

# Lines of one text that are put together, 0.5 us each; who writes paragraphs does not write more.
MAX_LINES = 50_000

_QUOTES = re.compile(">*+")


def unflowed(text: str, *, delete_space: bool = False) -> str:
    """The text with soft line breaks taken out and space-stuffing undone.

    ``delete_space`` is the parameter ``DelSp=yes``, by which the space at a soft break goes too.
    Quoted lines keep their ``>`` marks and a space behind them; a signature's ``-- `` stays a line.
    Text of more than MAX_LINES lines is given back as it is.
    """
    if text.count("\n") > MAX_LINES:
        return text
    lines: list[str] = []
    paragraph: list[str] = []
    depth = 0
    for line in text.split("\n"):
        quotes = _quotes(line)
        content = line[quotes:].removeprefix(" ")
        signature = content == "-- "
        if paragraph and (quotes != depth or signature):
            lines.append(_line(depth, paragraph))
            paragraph = []
        depth = quotes
        soft = content.endswith(" ") and not signature
        paragraph.append(content[:-1] if soft and delete_space else content)
        if not soft:
            lines.append(_line(depth, paragraph))
            paragraph = []
    if paragraph:
        lines.append(_line(depth, paragraph))
    return "\n".join(lines)


def _quotes(line: str) -> int:
    """How many ``>`` the line begins with."""
    found = _QUOTES.match(line)
    return found.end() if found else 0


def _line(depth: int, paragraph: list[str]) -> str:
    """One line of a paragraph, behind its marks of quotation."""
    content = "".join(paragraph)
    return f"{'>' * depth} {content}" if depth else content
