"""HTML of strangers, made fit to be shown: the first of two walls.

Each holds without the other; the second is :mod:`.document`. Caps and a rewriting pass come first
(:mod:`.caps`), because what follows builds trees; then style sheets move into ``style`` attributes
(css-inline, told to fetch nothing); then nh3 keeps known elements and attributes; then every tag
that is left is written anew with values that are understood (this module and :mod:`.css`).

Pictures that would have to be fetched are held back in ``data-remote-`` attributes, so the reader
can be asked first, and asked once.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from html import escape, unescape
from urllib.parse import unquote, unquote_to_bytes

import nh3
from attrs import Factory, define, frozen

from tempmail.content import caps, css
from tempmail.content.urls import Destination, destination

PICTURE_OCTETS = 5 * 1024 * 1024
"""Octets of one picture that the mail brings along and the fragment shows."""

PICTURES_OCTETS = 6 * 1024 * 1024
"""Octets of all such pictures, each counted as often as it is shown; base64 adds a third."""

FRAGMENT_LENGTH = 4_000_000
"""Characters of a cleaned fragment without its pictures."""

TEXT_LENGTH = 1_000
"""Characters of an alternative text."""

ADDRESSES = 5_000
"""Different URLs of one mail that are looked at; a host in other letters costs 0.1 ms."""

RASTER = frozenset({"png", "jpeg", "jpg", "pjpeg", "x-png", "gif", "webp", "bmp", "avif"})
"""Subtypes of ``image/`` shown. SVG is a document that can carry script, and is none of them."""

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"RIFF", "webp"),
)
_URL_ATTRIBUTES = frozenset({"href", "src"})
_COMMON_ATTRIBUTES = caps.ATTRIBUTES_KEPT - _URL_ATTRIBUTES - {"class", "id"}
_SCHEMES = frozenset({"http", "https", "mailto", "tel", "cid", caps.HELD})
_TAG = re.compile(r"<(?:(/?)([a-z][a-z0-9]*)((?: [a-z-]+=\"[^\"]*\")*)>)?")
_ATTRIBUTE = re.compile(r" ([a-z-]+)=\"([^\"]*)\"")
_HINT = re.compile(r"[\w#%.,:;+ -]{0,100}")
_COLOUR = re.compile(r"#?[0-9A-Za-z]{3,20}")
_PIXELS = re.compile(r" *([0-9]{1,4})(?:px)? *")
_HELD_SOURCE = re.compile(r"<img data-remote-src=")
_HELD_BACKGROUND = re.compile(
    r"<([a-z][a-z0-9]*) data-remote-background=\"([^\"]*)\" style=\"([^\"]*)\""
)
_FRAME = '<div style="overflow:auto">'
"""Round every fragment: what is wider than its place scrolls there and covers nothing else."""

_NH3 = nh3.Cleaner(
    tags=set(caps.ELEMENTS_KEPT),
    clean_content_tags=set(),
    attributes={"*": set(_COMMON_ATTRIBUTES), "a": {"href"}, "img": {"src"}},
    url_schemes=set(_SCHEMES),
    url_relative=lambda url: f"https:{url}" if url.startswith("//") else None,
    link_rel=None,
)


@frozen
class CleanHtml:
    """What :func:`sanitise` leaves of a mail's HTML."""

    fragment: str = ""
    """Fit to be put into any page; fetches nothing. Empty when there is nothing to show."""

    remote_hosts: tuple[str, ...] = ()
    """Hosts (A-labels) that the mail wants asked for pictures, in order of appearance."""

    tracking_pixels: int = 0
    """Remote pictures nobody could see. They are not loaded even when remote ones are asked for."""

    defects: tuple[str, ...] = ()
    """What was left out for being too much, in words."""

    @property
    def fragment_with_remote(self) -> str:
        """The fragment with its remote pictures and backgrounds (http and https) let in."""
        shown = _HELD_SOURCE.sub("<img src=", self.fragment)
        return _HELD_BACKGROUND.sub(_with_background, shown)


def _with_background(found: re.Match[str]) -> str:
    tag, url, style = found.groups()
    return f"<{tag} style=\"{style};background-image:url('{url}')\""


Pictures = Mapping[str, tuple[str, bytes]]
"""Content-ID (with or without angle brackets) -> content type, octets."""


def sanitise(
    html: str, pictures: Pictures | None = None, *, cleaner: Callable[[str], str] = _NH3.clean
) -> CleanHtml:
    """Make the HTML of a mail safe to show, keeping its looks.

    Never raises for any text. What does not pass a cap has no fragment, and ``defects`` says why.

    :param pictures: the pictures that ``cid:`` URLs (RFC 2392) name.
    :param cleaner: what drops unknown elements and attributes; another one only in tests.
    """
    html = html.encode("utf-8", "replace").decode("utf-8")
    defects: list[str] = []
    try:
        level = caps.level(html)
        finish = _Finish(level.held, _by_id(pictures or {}), defects)
        styled = css.inlined(level.markup, level.sheets, level.names)
        defects += styled.defects
        cleaned = cleaner(styled.markup)
        if len(cleaned) > FRAGMENT_LENGTH:
            raise caps.TooMuch(f"the cleaned HTML has more than {FRAGMENT_LENGTH} characters")
    except caps.TooMuch as error:
        return CleanHtml(defects=(f"HTML not shown: {error}",))
    fragment = _TAG.sub(finish.tag, cleaned)
    return CleanHtml(
        f"{_FRAME}{fragment}</div>" if fragment else "",
        tuple(finish.hosts),
        finish.tracking_pixels,
        tuple(defects),
    )


def _by_id(pictures: Pictures) -> Pictures:
    return {name.strip().strip("<>"): picture for name, picture in pictures.items()}


@define
class _Finish:
    """Writes each tag anew, and remembers what it saw."""

    held: tuple[str, ...]
    pictures: Pictures
    defects: list[str]
    hosts: dict[str, None] = Factory(dict)
    addresses: dict[str, Destination | None] = Factory(dict)
    tracking_pixels: int = 0
    octets_left: int = PICTURES_OCTETS
    styles: dict[str, css.Declarations] = Factory(dict)

    def tag(self, found: re.Match[str]) -> str:
        """A tag as nh3 writes it, all values quoted and escaped -> the same, finished.

        A ``<`` that begins no such tag becomes text, and an element that is not known is dropped,
        so that this holds alone: css-inline has been seen to write attributes that break out.
        """
        slash, name, attributes = found.groups()
        if name is None:
            return "&lt;"
        if name not in caps.ELEMENTS_KEPT:
            return ""
        return found[0] if slash or not attributes else self._finished(name, attributes)

    def _finished(self, name: str, attributes: str) -> str:
        given = {key: unescape(value) for key, value in _ATTRIBUTE.findall(attributes)}
        style = self._style(given.pop("style", ""))
        background = given.pop("background", "") or next(iter(style.pictures), "")
        written: dict[str, str] = {}
        if name == "img":
            written |= self._picture(given.pop("src", ""), style.invisible or _is_pixel(given))
        elif background and (place := self._remote(background)):
            written["data-remote-background"] = place.url
            written["style"] = ""
        elif name == "a":
            written |= self._link(given.pop("href", ""))
        colour = given.pop("text", "")  # of a body element: the colour of all its text
        declared = f"color:{colour};" if _COLOUR.fullmatch(colour) else ""
        if declared or style.text:
            written["style"] = declared + style.text
        for key, value in given.items():
            if key == "alt":
                written[key] = value[:TEXT_LENGTH]
            elif key in _COMMON_ATTRIBUTES and _HINT.fullmatch(value):
                written[key] = value
        return "".join((f"<{name}", *(f' {k}="{_quoted(v)}"' for k, v in written.items()), ">"))

    def _remote(self, url: str) -> Destination | None:
        """Remember the host that this picture would be fetched from; None when it has none."""
        place = self._address(url)
        if place is None or not place.is_web:
            return None
        self.hosts.setdefault(place.host)
        return place

    def _address(self, url: str) -> Destination | None:
        if url in self.addresses:
            return self.addresses[url]
        if len(self.addresses) == ADDRESSES:
            note = f"more than {ADDRESSES} addresses in the HTML, the others left out"
            self.defects += [] if note in self.defects else [note]
            return None
        place = self.addresses[url] = destination(url)
        return place

    def _style(self, text: str) -> css.Declarations:
        found = self.styles.get(text)
        if found is None:
            found = self.styles[text] = css.declarations(text)
        return found

    def _link(self, href: str) -> dict[str, str]:
        place = self._address(href) if href else None
        if place is None:
            return {}
        return {
            "href": place.url,
            "title": place.host,
            "target": "_blank",
            "rel": "noopener noreferrer nofollow",
            "referrerpolicy": "no-referrer",
        }

    def _picture(self, source: str, invisible: bool) -> dict[str, str]:
        scheme, _, name = source.strip().partition(":")
        if scheme.lower() == "cid":
            return self._shown(self._enclosed(name))
        if scheme == caps.HELD:
            return self._shown(self._written_out(name))
        place = self._remote(source) if source else None
        if place is None:
            return {}
        if invisible:
            self.tracking_pixels += 1
            return {}
        return {"data-remote-src": place.url, "referrerpolicy": "no-referrer"}

    def _enclosed(self, name: str) -> tuple[str, bytes] | None:
        """The picture that the mail brings under this Content-ID, when it is one of pixels."""
        content_type, octets = self.pictures.get(unquote(name).strip("<>"), ("", b""))
        kind, _, subtype = content_type.partition(";")[0].strip().lower().partition("/")
        if kind == "image" and subtype in RASTER:
            return subtype, octets
        if content_type.lower().startswith("application/octet-stream"):
            for signature, subtype in _SIGNATURES:
                if octets.startswith(signature):
                    return subtype, octets
        return None

    def _written_out(self, name: str) -> tuple[str, bytes] | None:
        """The picture that the HTML itself holds, put aside under this number."""
        if not name.isascii() or not name.isdigit() or int(name[:6]) >= len(self.held):
            return None
        kind, _, data = self.held[int(name[:6])].partition(",")
        try:
            octets = base64.b64decode(unquote_to_bytes(data))
        except ValueError:
            return None
        return kind.partition("/")[2].partition(";")[0].lower(), octets

    def _shown(self, picture: tuple[str, bytes] | None) -> dict[str, str]:
        if picture is None:
            return {}
        subtype, octets = picture
        if len(octets) > min(PICTURE_OCTETS, self.octets_left):
            self.defects.append(f"a picture of {len(octets)} octets left out of the HTML")
            return {}
        self.octets_left -= len(octets)
        return {"src": f"data:image/{subtype};base64,{base64.b64encode(octets).decode('ascii')}"}


def _is_pixel(given: Mapping[str, str]) -> bool:
    """Whether width and height say that there is nothing to see."""
    sizes = [_PIXELS.fullmatch(given.get(side, "")) for side in ("width", "height")]
    pixels = [int(size[1]) for size in sizes if size]
    return 0 in pixels or (len(pixels) == 2 and max(pixels) <= 1)


def _quoted(value: str) -> str:
    return escape(value).replace("\xa0", "&nbsp;")
