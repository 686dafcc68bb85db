"""The charset of octets that do not say, or say what can not be."""

from __future__ import annotations

import re

import charset_normalizer

from tempmail.content.labels import WESTERN

# Octets shown to the guesser: it takes up to 1 ms for 4 KiB (measured over 14 languages) and is
# not linear in what it is shown.
GUESS_OCTETS = 4096

_CANDIDATES = (
    "utf_8 cp1252 cp1250 cp1251 koi8_r cp1253 cp1254 cp1255 cp1256 cp874 cp949 cp932 euc_jp"
    " gb18030 big5hkscs"
).split()
# From the first octet beyond ASCII to the end of its line: no character of any charset is cut.
_TELLING = re.compile(rb"[\x80-\xff][^\n]*")
# Letters of Czech, Polish, Slovak and Hungarian that stand where Windows-1252 has signs or nothing.
_CENTRAL_EUROPEAN = re.compile(rb"[\x8d\x8f\x9a\x9c-\x9f\xb3\xb9]")
# Turkish s, g and dotless i, which in Windows-1252 are Icelandic letters.
_TURKISH = re.compile(rb"[\xf0\xfd\xfe\xdd\xde]")
# Letters that any ten of Cyrillic text contain and no Hebrew text does, in Windows-1251 and -1255.
_NOT_HEBREW = re.compile(rb"[\xc0-\xdf\xfb\xfc\xfe\xff]")
_HALF_WIDTH_KATAKANA = re.compile("[\uff61-\uff9f]")


def guessed(octets: bytes) -> str:
    """Python's name of the codec that ``octets`` are most probably in; never raises.

    charset-normalizer judges the lines that hold something beyond ASCII. It mistakes the Latin
    code pages for one another, short Hebrew for Cyrillic and Thai for half-width katakana; that is
    set right afterwards.
    """
    sample = _sample(octets)
    codec = _normalizers_choice(sample) or _normalizers_choice(sample[:-1]) or WESTERN
    if codec in ("cp1250", "cp1252", "cp1254"):
        return _which_latin(sample)
    if codec == "cp1251" and not _NOT_HEBREW.search(sample) and _takes("cp1255", sample):
        return "cp1255"
    if codec == "cp932" and _is_thai(sample):
        return "cp874"
    return codec


def _sample(octets: bytes) -> bytes:
    """Up to GUESS_OCTETS of the telling lines, not ending within a character if that can be."""
    lines, size = [], 0
    for found in _TELLING.finditer(octets):
        lines.append(found[0][:GUESS_OCTETS])
        size += len(lines[-1]) + 1
        if size >= GUESS_OCTETS:
            break
    sample = b"\n".join(lines)
    if len(sample) < GUESS_OCTETS:
        return sample
    sample = sample[:GUESS_OCTETS]
    end = max(sample.rfind(b" "), sample.rfind(b"\n"))
    return sample[:end] if end > 0 else sample


def _normalizers_choice(sample: bytes) -> str | None:
    """What charset-normalizer takes the sample for, if for anything."""
    try:
        best = charset_normalizer.from_bytes(sample, cp_isolation=_CANDIDATES).best()
    except Exception:  # a guess that fails, for whatever reason, is only no guess
        return None
    return best.encoding if best else None


def _which_latin(sample: bytes) -> str:
    """Western is far more common than the others, so they need a letter that it lacks."""
    if _CENTRAL_EUROPEAN.search(sample):
        return "cp1250"
    return "cp1254" if _TURKISH.search(sample) else WESTERN


def _is_thai(sample: bytes) -> bool:
    """Whether Japanese would be nearly all half-width katakana, which nobody writes."""
    japanese = sample.decode("cp932", "ignore")
    katakana = len(_HALF_WIDTH_KATAKANA.findall(japanese))
    high = sum(1 for character in japanese if character > "\x7f")
    return katakana * 2 > high and _takes("cp874", sample)


def _takes(codec: str, sample: bytes) -> bool:
    """Whether every octet is a character there."""
    try:
        sample.decode(codec)
    except UnicodeDecodeError:
        return False
    return True
