"""The tree of parts of a mail (RFC 2046 section 5.1), as fast-mail-parser finds it.

It takes 10 ms for 25 MiB. Before, one pass is made over what may be header blocks of parts: from
every line that begins with ``--`` to the next empty line, for only the library knows which of these
lines are boundaries. The mail is cut off where they come to more than it should be given, and marks
are put in, and taken out of the parts afterwards, that keep the library from

- decoding encoded words: it takes a time quadratic in the number of ``=?`` (200 kB in one field: 1
  s), and decodes each alone, so that characters cut in two are lost;
- descending into ``message/rfc822``, of which it copies each level (50 levels of 20 MB: 1.4 s), and
  refuses the whole mail if one is not encoded well; to us it is a leaf, for what was forwarded is
  not what this mail says;
- undoing transfer encodings: see ``part.py``;
- losing the text of a part whose header no empty line ends, or of a multipart that names no
  boundary, and refusing the whole mail if a header begins with a space or a bare CR.

What it then still refuses are more than 256 levels. The standard library, as a second opinion, has
a RecursionError there, and could be asked about small mails only (1 us for each line and level).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

from attrs import define, evolve, field
from fast_mail_parser import ParseError, PyLazyMimePart, parse_email_tree

from tempmail.content.headers import RUN_OF_FIELDS
from tempmail.content.part import Head, Part, head_of

# Leaves of one mail that are told apart. A digest of a busy list has 200.
MAX_PARTS = 1000
# Levels of multipart within each other. Ten are a mail forwarded inline for ever.
MAX_DEPTH = 50
# Parameters of all parts together: the standard library takes 2 us for each.
MAX_ALL_PARAMETERS = 10_000
# What may be header blocks of parts, all together: their number (5 us each), octets, lines (0.3 us
# each), marks (0.6 us each), and octets behind each multipart, as if all were within each other
# (0.02 ns each). A thousand usual parts have 300 kB in 6000 lines with 3000 marks; dumps of
# databases have thousands of lines that begin with "--".
MAX_BLOCKS = 6_000
MAX_BLOCK_OCTETS = 1024 * 1024
MAX_BLOCK_LINES = 50_000
MAX_MARKS = 30_000
MAX_NESTED_OCTETS = 50 * 25 * 1024 * 1024
# RFC 2046 section 5.1.1 allows 70; some programmes count differently.
MAX_BOUNDARY_OCTETS = 250
# How far a boundary is looked for that the header does not name.
MAX_PREAMBLE_OCTETS = 16 * 1024

_DASHES = re.compile(rb"\n--")
_BLOCK_END = re.compile(rb"\n(?:\r?\n|(?=--))")
_UNNAMED_BOUNDARY = re.compile(rb"\n--([^\r\n\"\\]{1,200})\r?\n(?:\r?\n|[Cc]ontent-)")
# Nothing that a mail contains, for nobody can know it.
_MARK = b"^%s^" % secrets.token_hex(8).encode()
_END_OF_HEADER = b"\n" + _MARK
# A mark goes behind each of these.
_PLACES = re.compile(
    rb"=(?=\?)|message(?=/)|multipart/(?=digest)|content(?=-transfer-encoding)", re.IGNORECASE
)
_PLACES_WITHOUT_BOUNDARY = re.compile(_PLACES.pattern + rb"|multipart(?=/)", re.IGNORECASE)


@define
class Tree:
    """The parts of one mail: the root, its leaves in order, and what was wrong."""

    root: Part
    leaves: list[Part] = field(factory=list)
    defects: list[str] = field(factory=list)


def tree(octets: bytes, body: int, head: Head) -> Tree:
    """The parts of a mail whose body begins at ``body`` and whose header says ``head``.

    There are no leaves if the library refuses the mail.
    """
    found = Tree(Part(head, children=[]))
    boundary = b""
    if head.content_type.startswith("multipart/"):
        boundary = _boundary(octets, body, head.parameters.get("boundary", ""), found.defects)
    if not boundary:
        found.root = _leaf(head, octets[body:])
        found.leaves.append(found.root)
        return found
    if octets.rfind(b"--%s--" % boundary, body) < 0:
        found.defects.append("the multipart is not closed by its boundary; it may be cut short")
    start = b'Content-Type: multipart/mixed; boundary="%s"\r\n\r\n' % boundary
    source = b"".join([_PLACES.sub(rb"\g<0>" + _MARK, start), *_pieces(octets, body, found)])
    try:
        root = parse_email_tree(source, mode="lazy")
    except ParseError as error:
        found.defects.append(f"the parts can not be told apart: {error}")
    else:
        found.root = _Builder(found).part(root, head, 1)
    return found


def _boundary(octets: bytes, body: int, named: str, defects: list[str]) -> bytes:
    """The boundary of the outermost multipart, named or seen; ``b""`` if there is none."""
    boundary = named.rstrip().encode("utf-8", "replace")
    if 0 < len(boundary) <= MAX_BOUNDARY_OCTETS:
        first = octets.find(b"--" + boundary, body)
        if first >= 0 and not octets.startswith(b"--", first + 2 + len(boundary)):
            return boundary
    seen = _UNNAMED_BOUNDARY.search(octets, max(body - 1, 0), body + MAX_PREAMBLE_OCTETS)
    if seen:
        defects.append(
            "the boundary of the multipart does not fit its body; the one seen there was taken"
        )
        return seen[1].rstrip()
    defects.append("the boundary of the multipart never appears; it is shown as one text")
    return b""


def _blocks(octets: bytes, body: int) -> Iterator[tuple[int, int]]:
    """Where header blocks of parts may be, the line that begins with ``--`` included."""
    found = _DASHES.search(octets, max(body - 1, 0))
    while found:
        start = found.start() + 1
        end = _BLOCK_END.search(octets, start)
        yield start, end.end() if end else len(octets)
        found = _DASHES.search(octets, end.end() - 1) if end else None


def _pieces(octets: bytes, body: int, found: Tree) -> Iterator[bytes]:
    """The body with marks, cut off where there is too much of what may be header blocks."""
    last, size, lines, marks, nested = body, 0, 0, 0, 0
    for count, (start, end) in enumerate(_blocks(octets, body)):
        block = octets[start : min(end, start + MAX_BLOCK_OCTETS)]
        lower = block.lower()
        size += end - start
        lines += block.count(b"\n")
        nested += lower.count(b"multipart/") * (len(octets) - start)
        yield octets[last:start]
        if size <= MAX_BLOCK_OCTETS:
            places = _PLACES if b"boundary" in lower else _PLACES_WITHOUT_BOUNDARY
            block, number = places.subn(rb"\g<0>" + _MARK, _ended(block), MAX_MARKS + 1)
            marks += number
        if (
            count >= MAX_BLOCKS
            or size > MAX_BLOCK_OCTETS
            or lines > MAX_BLOCK_LINES
            or marks > MAX_MARKS
            or nested > MAX_NESTED_OCTETS
        ):
            found.defects.append(
                "there are too many parts, or their headers are too long; not all were read"
            )
            return
        yield block
        last = end
    yield octets[last:]


def _ended(block: bytes) -> bytes:
    """The block with an end of the header where a line follows that is no field."""
    line = block.find(b"\n") + 1
    run = RUN_OF_FIELDS.match(block, line)
    stray = run.end() if run else line
    if line and block[stray:] not in (b"", b"\n", b"\r\n"):
        return block[:stray] + _END_OF_HEADER + block[stray:]
    return block


def _unmarked(octets: bytes) -> bytes:
    """The octets as they were, and without marks from the end of their header."""
    if _MARK in octets:
        octets = octets.replace(_END_OF_HEADER, b"").replace(_MARK, b"")
    return octets


def _leaf(head: Head, raw: bytes) -> Part:
    """A part that is not taken apart; a multipart is shown as text."""
    is_multipart = head.content_type.startswith("multipart/")
    return Part(evolve(head, content_type="text/plain") if is_multipart else head, raw)


def _fields(part: PyLazyMimePart) -> dict[bytes, bytes]:
    """The first of each of the fields that say something about the content, by lower-case names.

    The library gives text for octets, as Latin-1 where they are not UTF-8.
    """
    fields: dict[bytes, bytes] = {}
    for name, values in part.headers.items():
        if name[:7].lower() == "content":
            latin = all(character <= "\xff" for character in values[0])
            octets = values[0].encode("latin-1" if latin else "utf-8")
            fields.setdefault(_unmarked(name.strip().lower().encode()), _unmarked(octets))
    return fields


@define
class _Builder:
    """Makes our tree of the library's."""

    _found: Tree
    _parameters: int = MAX_ALL_PARAMETERS

    def part(self, seen: PyLazyMimePart, head: Head, depth: int) -> Part:
        """One part and all below it. Recursive, for it stops at MAX_DEPTH."""
        if seen.content is not None:
            leaf = _leaf(head, _unmarked(seen.content))
            if seen.content.startswith(_MARK):
                self._note("no empty line separates the header of a part from its text")
            self._found.leaves.append(leaf)
            return leaf
        part = Part(head, children=[])
        if depth > MAX_DEPTH:
            self._note(f"multiparts more than {MAX_DEPTH} levels deep are not read")
        else:
            part.children = list(self._children(seen, head.content_type, depth))
        return part

    def _children(self, seen: PyLazyMimePart, content_type: str, depth: int) -> Iterator[Part]:
        default = "message/rfc822" if content_type == "multipart/digest" else "text/plain"
        children = seen.children
        if not children:
            self._note("a multipart does not contain its boundary; something may be missing")
        for child in children:
            if len(self._found.leaves) >= MAX_PARTS or self._parameters < 0:
                self._note(f"only the first {len(self._found.leaves)} parts were read")
                return
            fields = _fields(child)
            self._parameters -= sum(value.count(b";") for value in fields.values())
            yield self.part(child, head_of(fields, default), depth + 1)

    def _note(self, defect: str) -> None:
        """A defect, once."""
        if defect not in self._found.defects:
            self._found.defects.append(defect)
