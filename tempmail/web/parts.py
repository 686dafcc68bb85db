"""What the page is made of: its files, read, named by their content and compressed once."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from string import Template

from attrs import field, frozen

from tempmail.web import accent
from tempmail.web.branding import Branding

DOCUMENT = "index.html"
STYLE = "style.css"

_TYPES = {
    "": "text/plain; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_SHEETS = ("style/base.css", "style/page.css", "style/mail.css")
_SCRIPTS = ("first.js", "page.js")
_IMPORT = re.compile(rb"""\b(?:from|import)\s*["'](\.[^"']+)["']""")


@frozen
class Part:
    """One file, plain and as gzip, with the name of its content."""

    octets: bytes = field(repr=False)
    content_type: str
    zipped: bytes = field(init=False, repr=False)
    name: str = field(init=False)

    @zipped.default
    def _zip(self) -> bytes:
        return gzip.compress(self.octets, mtime=0)

    @name.default
    def _name(self) -> str:
        return hashed(self.octets)


def hashed(*pieces: bytes) -> str:
    """A name for this content."""
    digest = sha256()
    for piece in pieces:
        digest.update(b"%d:%b" % (len(piece), piece))
    return digest.hexdigest()[:20]


def part_of(path: str, octets: bytes) -> Part:
    """The file of this name."""
    return Part(octets, _TYPES[PurePosixPath(path).suffix])


def read_files() -> dict[str, bytes]:
    """Every file of the page, by its path below ``static``."""
    return dict(_walk(files("tempmail.web").joinpath("static"), ""))


def _walk(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{path}{entry.name}/")
        elif PurePosixPath(entry.name).suffix in _TYPES:
            yield f"{path}{entry.name}", entry.read_bytes()


def modules(found: Mapping[str, bytes]) -> list[str]:
    """The modules that the page needs before it runs, in the order of being named."""
    named = list(_SCRIPTS)
    for module in named:
        folder = PurePosixPath(module).parent
        for name in _IMPORT.findall(found[module]):
            path = _joined(folder, name.decode())
            if path not in named:
                named.append(path)
    return named


def _joined(folder: PurePosixPath, relative: str) -> str:
    steps: list[str] = []
    for step in (folder / relative).parts:
        if step == "..":
            steps.pop()
        else:
            steps.append(step)
    return "/".join(steps)


def build(branding: Branding) -> tuple[Part, str, Mapping[str, Part]]:
    """The document, the version its parts lie below, and they.

    All modules are named in the document, so that none waits for another one to name it. The style
    sheets are served as one.
    """
    found = read_files()
    document = Template(found.pop(DOCUMENT).decode())
    sheets = [found.pop(sheet) for sheet in _SHEETS]
    found[STYLE] = b"\n".join([*sheets, accent.stylesheet(branding.accent_colour)])
    version = hashed(*(piece for path in sorted(found) for piece in (path.encode(), found[path])))
    where = f"static/{version}"
    needed = [one for one in modules(found) if one not in _SCRIPTS]
    # Of low priority, for what the first script asks of the server is not to queue behind them.
    link = f'<link rel="modulepreload" fetchpriority="low" href="{where}/%s">'
    text = document.substitute(
        parts=where,
        site_name=escape(branding.site_name),
        preloads="\n".join(link % one for one in needed),
        operator=branding.lines(),
    )
    return (
        part_of(DOCUMENT, text.encode("utf-8", "replace")),
        version,
        {path: part_of(path, octets) for path, octets in found.items()},
    )
