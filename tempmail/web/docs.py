"""The description of the interface as a page to read, made from the same document."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from html import escape
from typing import Any

from tempmail.web.openapi import describe
from tempmail.web.request import Request
from tempmail.web.routing import new_app, route

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --quiet: #666; --accent: #06c; }
:root { background: Canvas; }
@media (prefers-color-scheme: dark) { :root { --quiet: #999; --accent: #6bf; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 2rem 1rem; }
h1 { margin-top: 0; }
a { color: var(--accent); }
code { font: 0.9em/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
section { border-top: 1px solid var(--line); padding: 1rem 0; }
h2 { font-size: 1rem; margin: 0; }
h2 b { display: inline-block; min-width: 4.5rem; color: var(--accent); }
h3 { font-size: 0.8rem; margin: 1rem 0 0; color: var(--quiet); }
dl { margin: 0; display: grid; grid-template-columns: minmax(6rem, auto) 1fr; gap: 0.2rem 1rem; }
dt, dd { margin: 0; min-width: 0; }
"""
_POLICY = (
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
    f"style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'"
)

Node = Mapping[str, Any]


class Docs:
    """The page. It loads nothing, from us or from anybody else."""

    app = new_app()

    @route(app, "GET", "/docs")
    def page(self, request: Request) -> bytes:
        """The whole of it."""
        request.header("Content-Security-Policy", _POLICY)
        return request.reply(_page(request.site.exposure.base_path), "text/html; charset=utf-8")


@lru_cache(maxsize=4)
def _page(base_path: str) -> bytes:
    document = describe(base_path)
    info = document["info"]
    text = "".join(
        (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(info['title'])}: HTTP interface</title>",
            f"<style>{_STYLE}</style></head><body><main>",
            f"<h1>{escape(info['title'])} {escape(info['version'])}: HTTP interface</h1>",
            *(f"<p>{_marked(part)}</p>" for part in info["description"].split("\n\n")),
            '<p>For programs: <a href="v1/openapi.json">OpenAPI 3.1</a>.</p>',
            *_operations(document),
            *_schemas(document),
            "</main></body></html>\n",
        )
    )
    return text.encode()


def _operations(document: Node) -> Iterator[str]:
    for path, methods in document["paths"].items():
        shared = methods.get("parameters", [])
        for method, operation in methods.items():
            if method != "parameters":
                yield f'<section id="{escape(operation["operationId"])}">'
                yield f"<h2><b>{method.upper()}</b> <code>{escape(path)}</code></h2>"
                yield f"<p>{escape(operation['summary'])}.</p>"
                yield from _parameters([*shared, *operation.get("parameters", [])])
                yield from _body(operation.get("requestBody"))
                yield from _answers(document, operation["responses"])
                yield "</section>"


def _parameters(parameters: list[Node]) -> Iterator[str]:
    if parameters:
        kinds = ((one, _kind(one["schema"])) for one in parameters)
        rows = ((one["name"], f"{kind}. {one['description']}") for one, kind in kinds)
        yield from _table("Parameters", rows)


def _body(body: Node | None) -> Iterator[str]:
    if body is not None:
        (content,) = body["content"].values()
        needed = content["schema"].get("required", [])
        members = content["schema"]["properties"].items()
        rows = (
            (name, _kind(one) + (", needed" if name in needed else "")) for name, one in members
        )
        yield from _table("JSON body", rows)


def _answers(document: Node, answers: Node) -> Iterator[str]:
    def rows() -> Iterator[tuple[str, str]]:
        for status, answer in answers.items():
            shown = answer
            if "$ref" in answer:
                shown = document["components"]["responses"][status]
            kinds = (
                f" {kind}: {_kind(content['schema'])}"
                for kind, content in answer.get("content", {}).items()
            )
            yield status, shown["description"] + "".join(kinds)

    yield from _table("Answers", rows())


def _schemas(document: Node) -> Iterator[str]:
    yield "<h1>Documents</h1>"
    for name, schema in document["components"]["schemas"].items():
        yield f'<section id="{escape(name)}"><h2>{escape(name)}</h2>'
        if "description" in schema:
            yield f"<p>{escape(schema['description'])}</p>"
        members = schema["properties"].items()
        rows = ((key, f"{_kind(one)}. {one.get('description', '')}") for key, one in members)
        yield from _table("Members", rows)
        yield "</section>"


def _table(title: str, rows: Iterator[tuple[str, str]]) -> Iterator[str]:
    yield f"<h3>{title}</h3><dl>"
    for name, text in rows:
        yield f"<dt><code>{escape(name)}</code></dt><dd>{_marked(text)}</dd>"
    yield "</dl>"


def _kind(schema: Node) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "oneOf" in schema:
        return " or ".join(map(_kind, schema["oneOf"]))
    if "enum" in schema:
        return " or ".join(schema["enum"])
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_kind(schema['items'])}"
    if kind == "object" and "properties" in schema:
        return f"{{{', '.join(schema['properties'])}}}"
    bounds = ""
    if "maximum" in schema:
        bounds = f" from {schema['minimum']} to {schema['maximum']}"
    return (kind if isinstance(kind, str) else " or ".join(kind)) + bounds


def _marked(text: str) -> str:
    """Text with its code marked up."""
    parts = enumerate(escape(text).split("`"))
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in parts)
