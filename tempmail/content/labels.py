"""The charset labels of mail, and the codecs of Python they may select.

A label never reaches :mod:`codecs` by itself: Python's registry also holds ``zlib``, ``hex``,
``unicode_escape`` and their like, and lacks names that mail uses. The widenings (``gb2312`` read
as GB 18030, ``iso-8859-1`` as Windows-1252 and so on) are those of the WHATWG Encoding Standard,
section 4.2; what that standard leaves out and mail still holds (UTF-7, UTF-32, the old PC code
pages) is added.
"""

from __future__ import annotations

# Longest label looked at; the longest real one has 31 characters.
LABEL_CHARACTERS = 64

WESTERN = "cp1252"
_ALIASES = {
    "cp1252": "iso-8859-1 iso8859-1 iso88591 iso-8859-1-windows-3.1-latin-1 latin1 latin-1 l1"
    " iso-ir-100 cp819 ibm819 windows-1252 x-cp1252 cp1252 ansi x-ansi windows-latin1",
    "ascii": "us-ascii ascii ansi-x3.4-1968 iso-ir-6 iso646-us us 646 cp367 ibm367",
    "utf_8": "utf-8 utf8 unicode-1-1-utf-8 unicode20utf8 unicode11utf8 x-unicode20utf8 utf8mb4"
    " utf-8-sig cp65001",
    "utf_7": "utf-7 utf7 unicode-1-1-utf-7 csunicode11utf7 x-unicode-2-0-utf-7 unicode-2-0-utf-7"
    " cp65000",
    "utf_16": "utf-16 utf16 unicode ucs-2 iso-10646-ucs-2 csunicode",
    "utf_16_le": "utf-16le utf16le unicodefffe-le",
    "utf_16_be": "utf-16be utf16be unicodefffe unicodebig",
    "utf_32": "utf-32 utf32 ucs-4 iso-10646-ucs-4",
    "utf_32_le": "utf-32le",
    "utf_32_be": "utf-32be",
    "gb18030": "gb18030 gb2312 gb-2312 gb2312-80 gb-2312-80 gb2312-1980 csgb2312 gbk x-gbk gb-k"
    " cp936 ms936 windows-936 936 euc-cn x-euc-cn euccn iso-ir-58 chinese cn-gb",
    "hz": "hz hz-gb hz-gb-2312",
    "cp950": "big5 big-5 cn-big5 csbig5 x-x-big5 big5-eten cp950 windows-950 big5-tw",
    "big5hkscs": "big5-hkscs big5hkscs big5hk",
    "iso2022_jp": "iso-2022-jp csiso2022jp iso-2022-jp-1 iso-2022-jp-2 iso-2022-jp-3"
    " iso-2022-jp-ms iso2022jp cp50220 cp50221 cp50222 jis",
    "iso2022_kr": "iso-2022-kr csiso2022kr iso2022kr",
    "cp932": "shift-jis shiftjis sjis x-sjis ms-kanji ms932 csshiftjis windows-31j windows-932"
    " cp932 932 mswindows-932 x-shift-jis cswindows31j sjis-win",
    "euc_jp": "euc-jp eucjp x-euc-jp x-euc cseucpkdfmtjapanese eucjp-ms eucjp-win ujis",
    "cp949": "euc-kr euckr ks-c-5601-1987 ks-c-5601-1989 ksc5601 ksc-5601 ks-c-5601 ks-c5601-1987"
    " korean cseuckr csksc56011987 iso-ir-149 cp949 uhc windows-949 949 ms949 x-windows-949",
    "johab": "johab cp1361 windows-1361",
    "koi8_r": "koi8-r koi8 koi cskoi8r koi8r x-koi8-r",
    "koi8_u": "koi8-u koi8-ru koi8u",
    "koi8_t": "koi8-t",
    "cp874": "windows-874 cp874 tis-620 tis620 tis-620-0 iso-8859-11 iso8859-11 dos-874 x-tis620",
    "iso8859_6": "arabic asmo-708 ecma-114 iso-8859-6-i iso-8859-6-e csiso88596i",
    "iso8859_7": "greek greek8 ecma-118 elot-928 sun-eu-greek",
    "iso8859_8": "hebrew iso-8859-8-i iso-8859-8-e logical visual csiso88598i",
    "iso8859_5": "cyrillic csisolatincyrillic",
    "iso8859_2": "latin2 l2 csisolatin2",
    "iso8859_3": "latin3 l3",
    "iso8859_4": "latin4 l4",
    "cp1254": "iso-8859-9 iso8859-9 iso88599 latin5 l5 csisolatin5 iso-8859-9-e windows-1254",
    "iso8859_10": "latin6 l6",
    "iso8859_15": "latin9 l9 latin-9 csisolatin9",
    "mac_roman": "macintosh mac x-mac-roman csmacintosh x-macroman macroman",
    "mac_cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "mac_greek": "x-mac-greek",
    "mac_turkish": "x-mac-turkish",
    "mac_latin2": "x-mac-ce x-mac-centraleurroman x-mac-centraleurope",
    "mac_iceland": "x-mac-icelandic",
    "cp866": "cp866 ibm866 866 csibm866 dos-866",
    "kz1048": "kz-1048 strk1048-2002",
    "ptcp154": "ptcp154 pt154 cp154",
    "hp_roman8": "hp-roman8 roman8",
    "cp1125": "cp1125 ruscii cp866u",
}
_ISO_8859 = (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)
_WINDOWS = (1250, 1251, 1253, 1254, 1255, 1256, 1257, 1258)
_PC = (437, 720, 737, 775, 850, 852, 855, 856, 857, 858, 860, 861, 862, 863, 864, 865, 869, 1006)


def _table() -> dict[str, str]:
    """Every label, folded as :func:`codec_for` folds it, and its codec."""
    table = {label: codec for codec, labels in _ALIASES.items() for label in labels.split()}
    for number in _ISO_8859:
        for spelling in ("iso-8859-%d", "iso8859-%d", "iso8859%d", "8859-%d"):
            table.setdefault(spelling % number, f"iso8859_{number}")
    for prefix, numbers in (("windows-", _WINDOWS), ("x-cp", _WINDOWS), ("win-", _WINDOWS)):
        table.update({f"{prefix}{number}": f"cp{number}" for number in numbers})
    for number in (*_WINDOWS, *_PC):
        for prefix in ("cp", "ibm", "cp-", "dos-", "windows"):
            table[f"{prefix}{number}"] = f"cp{number}"
    return table


# Every label we know, folded, and the name of its codec.
CODECS = _table()


def codec_for(label: str) -> str | None:
    """Python's name of the codec a charset label stands for; ``None`` for one we do not know.

    Case, quotes, ``_`` for ``-``, a language after ``*`` (RFC 2231 section 5) and anything behind
    a space do not matter.
    """
    words = label[:LABEL_CHARACTERS].lower().replace("_", "-").strip(" \t'\"").split(None, 1)
    if not words:
        return None
    name = words[0].split("*", 1)[0].strip("'\";,")
    return CODECS.get(name) or CODECS.get(name.removeprefix("x-").removeprefix("cs"))
