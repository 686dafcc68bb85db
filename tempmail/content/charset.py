"""Octets to text: the charsets people send, by their labels, and a guess where a label fails.

The label is believed if the octets are valid in it, strict UTF-8 comes next, then statistics. What
was guessed is said, for the reader is often the very person who has to set the label right.
"""

from __future__ import annotations

import re
from itertools import islice

from attrs import frozen

from tempmail.content.guess import guessed
from tempmail.content.labels import LABEL_CHARACTERS, WESTERN, codec_for

# Octets up to which the slow ways are gone (UTF-7 with faults takes 100 ns an octet, JIS with
# vendor characters 60 ns): beyond, faults become U+FFFD at once.
SLOW_OCTETS = 128 * 1024
# Of the octets beyond ASCII this share may be faulty in a text whose label is still believed.
TOLERATED_FAULTS = 0.1
# Octets from which a text in UTF-16 must hold a zero; a short Chinese subject need not.
WIDE_OCTETS = 64
# What is tried after the codec of a label, each a superset that real senders mean by that label.
_WIDER = {
    "cp950": ("big5hkscs",),
    "euc_jp": ("euc_jis_2004",),
    "iso2022_jp": ("iso2022_jp_ext",),
    "cp932": ("shift_jis_2004",),
}
# Every octet or nearly every one is a character here, so success proves nothing. Of those in the
# first row the labels are habitually put on UTF-8; in the others three sequences must agree.
_LAX_LABELS = frozenset({"cp1252", "iso8859_15", "mac_roman"})
_SEVERAL_BYTE = frozenset(
    "utf_8 utf_7 utf_16 utf_16_le utf_16_be utf_32 utf_32_le utf_32_be gb18030 hz cp950 big5hkscs"
    " iso2022_jp iso2022_kr cp932 euc_jp cp949 johab ascii".split()
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_UTF8_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_JIS_ESCAPE = re.compile(rb"\x1b(?:\$[@B]|\([BJI])")
_KANJI_RUN = re.compile(rb"\x1b\$[@B]([\x21-\x7e]*)(?:\x1b\([BJ])?")
_HIGH_TO_MARK = bytes(range(128)) + b"?" * 128
_BUT_UTF8 = "says charset {}, but is UTF-8; read as UTF-8"


@frozen
class Decoded:
    """A text, and what had to be guessed or repaired to get it: ``""`` for nothing."""

    text: str
    note: str = ""


def decode(octets: bytes, label: str = "", *, guess: bool = True) -> Decoded:
    """The text of ``octets``, which say they are in ``label`` (``""``: they do not say).

    Never raises and never answers a lone surrogate. ``guess`` allows the statistical guesser where
    nothing else is left; without it such octets are Windows-1252, which costs next to nothing.
    """
    codec = codec_for(label) if label else None
    if octets.isascii() and codec in (None, "ascii", "utf_8", WESTERN):
        return _seven_bit(octets, label, codec)
    if octets.startswith(b"\xef\xbb\xbf"):
        octets, codec = octets[3:], "utf_8"
    if codec is None:
        return _without_label(octets, label, guess)
    any_octets_fit = codec not in _SEVERAL_BYTE or _lacks_zeros(octets, codec)
    if any_octets_fit and _is_really_utf8(octets, codec):
        return Decoded(octets.decode(), _BUT_UTF8.format(_shown(label)))
    text = _strictly(octets, codec)
    if text is not None:
        return Decoded(text)
    return _faulty(octets, label, codec, guess)


def _seven_bit(octets: bytes, label: str, codec: str | None) -> Decoded:
    """ASCII only, so the label matters little; unlabelled Japanese is recognised by its escapes."""
    if b"\x1b" in octets and _JIS_ESCAPE.search(octets) and codec in (None, "ascii"):
        return Decoded(_iso_2022_jp(octets), "names no charset that fits; read as ISO-2022-JP")
    known = codec is not None or not label
    note = "" if known else f"unknown charset {_shown(label)}; the text is plain ASCII"
    return Decoded(octets.decode("ascii"), note)


def _without_label(octets: bytes, label: str, guess: bool) -> Decoded:
    """No label, or none we know: byte order mark, then UTF-8, then a guess."""
    why = f"unknown charset {_shown(label)}" if label else "no charset is named for 8-bit text"
    if octets[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return Decoded(_forced(octets, "utf_16"), f"{why}; read as UTF-16 by its byte order mark")
    try:
        return Decoded(octets.decode(), f"{why}; read as UTF-8")
    except UnicodeDecodeError:
        codec = guessed(octets) if guess else WESTERN
        return Decoded(_forced(octets, codec), f"{why}; read as {codec}, which is a guess")


def _faulty(octets: bytes, label: str, codec: str, guess: bool) -> Decoded:
    """The label's codec refused: keep it if the faults are few, else find what fits better."""
    shown = _shown(label)
    if codec != "utf_8" and _is_really_utf8(octets, codec):
        return Decoded(octets.decode(), _BUT_UTF8.format(shown))
    text = _forced(octets, codec)
    high = len(octets) - len(octets.translate(None, bytes(range(128, 256))))
    faults = text.count("\ufffd")
    if not faults:
        return Decoded(text)
    if codec != "ascii" and (faults <= TOLERATED_FAULTS * high or octets.isascii() or not guess):
        return Decoded(text, f"{faults} places are not valid in charset {shown}")
    better = guessed(octets) if guess else WESTERN
    if better == codec:
        return Decoded(text, f"{faults} places are not valid in charset {shown}")
    return Decoded(
        _forced(octets, better), f"is not valid in charset {shown}; read as {better}, a guess"
    )


def _is_really_utf8(octets: bytes, codec: str) -> bool:
    """Whether text with a label that any octets fit (or few: ASCII) is UTF-8 all the same.

    By accident that happens to two letters of a Cyrillic or Thai text, hardly to six; to Western
    text it does not happen in any language.
    """
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    if codec.startswith(("utf_16", "utf_32")):
        return True
    if codec in _LAX_LABELS or codec in _SEVERAL_BYTE:
        return not octets.isascii()
    return sum(1 for _ in islice(_UTF8_SEQUENCE.finditer(octets), 3)) == 3


def _lacks_zeros(octets: bytes, codec: str) -> bool:
    """Whether this can hardly be UTF-16 or UTF-32: there is not one space, digit or line end."""
    wide = codec.startswith(("utf_16", "utf_32"))
    return wide and len(octets) > WIDE_OCTETS and b"\0" not in octets


def _strictly(octets: bytes, codec: str) -> str | None:
    """The text if a codec that the label may mean takes every octet, else ``None``."""
    if codec == "utf_7" and (len(octets) > SLOW_OCTETS or not octets.isascii()):
        return None
    for candidate in (codec, *_WIDER.get(codec, ())):
        try:
            return _SURROGATE.sub("\ufffd", _plainly(octets, candidate, "strict"))
        except (UnicodeError, ValueError):
            continue
    return None


def _forced(octets: bytes, codec: str) -> str:
    """The text with U+FFFD where the codec has no answer."""
    if codec == "utf_7":
        octets = octets[:SLOW_OCTETS].translate(_HIGH_TO_MARK)
    if codec == "iso2022_jp":
        return _iso_2022_jp(octets)
    try:
        return _SURROGATE.sub("\ufffd", _plainly(octets, codec, "replace"))
    except (UnicodeError, ValueError):
        return octets.decode("utf-8", "replace")


def _plainly(octets: bytes, codec: str, errors: str) -> str:
    """Python's own decoding, the byte order mark of UTF-16 and UTF-32 put to use and dropped."""
    if codec == "utf_16" and octets[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        # RFC 2781 section 4.3 says big-endian; what is sent without a mark is told by its zeros.
        little = octets[1:512:2].count(0) > octets[0:512:2].count(0)
        codec = "utf_16_le" if little else "utf_16_be"
    text = octets.decode(codec, errors)
    return text.removeprefix("\ufeff") if codec.startswith("utf") else text


def _iso_2022_jp(octets: bytes) -> str:
    """ISO-2022-JP as phones and Windows write it, with NEC's and IBM's characters (CP50221).

    Python has no such codec. The rows of JIS X 0208 are those of Shift_JIS in another
    arrangement, so each run of kanji is rearranged and read as code page 932.
    """
    try:
        return octets.decode("iso2022_jp_ext")
    except (UnicodeError, ValueError):
        pass
    if len(octets) > SLOW_OCTETS:
        return _SURROGATE.sub("\ufffd", octets.decode("iso2022_jp_ext", "replace"))
    pieces, last = [], 0
    for run in _KANJI_RUN.finditer(octets):
        pieces.append(_lenient_jis(octets[last : run.start()]))
        pieces.append(_shifted(run[1]).decode("cp932", "replace"))
        last = run.end()
    pieces.append(_lenient_jis(octets[last:]))
    return "".join(pieces)


def _lenient_jis(octets: bytes) -> str:
    """What stands between kanji: ASCII, half-width katakana behind ``ESC ( I``."""
    if not octets:
        return ""
    return _SURROGATE.sub("\ufffd", octets.decode("iso2022_jp_ext", "replace"))


def _shifted(kanji: bytes) -> bytes:
    """Pairs of JIS X 0208 as Shift_JIS (JIS X 0208:1997, annex 1)."""
    out = bytearray()
    for row, cell in zip(kanji[::2], kanji[1::2], strict=False):
        lead = ((row - 0x21) >> 1) + 0x81
        out.append(lead if lead <= 0x9F else lead + 0x40)
        if row & 1:
            out.append(cell + (0x1F if cell <= 0x5F else 0x20))
        else:
            out.append(cell + 0x7E)
    return bytes(out)


def _shown(label: str) -> str:
    """A label as a defect may quote it: short and printable."""
    return ascii(label[:LABEL_CHARACTERS].strip())
