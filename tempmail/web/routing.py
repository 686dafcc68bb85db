"""Klein's routes, with what all of ours have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

from klein import Klein
from twisted.python.failure import Failure
from twisted.web.resource import IResource, Resource
from werkzeug.exceptions import MethodNotAllowed
from zope.interface import implementer

from tempmail.web.problems import allowed_methods
from tempmail.web.query import path_part
from tempmail.web.request import Request

Handler = TypeVar("Handler", bound=Callable[..., Any])


def new_app() -> Klein:
    """A Klein that answers every error with a problem, and OPTIONS with what there is."""
    app = Klein()
    # A doubled slash is another path, not a reason to send the client elsewhere.
    app.url_map.merge_slashes = False

    def failed(_: object, request: Request, failure: Failure) -> bytes:
        error = failure.value
        if isinstance(error, MethodNotAllowed) and request.method == b"OPTIONS":
            return request.tell_methods(allowed_methods(error))
        return request.failed(failure)

    app.handle_errors(Exception)(failed)  # type: ignore[arg-type]
    return app


def route(app: Klein, method: str, pattern: str) -> Callable[[Handler], Handler]:
    """Register a method of a class whose attribute ``app`` is.

    It is called with the request and the path's variable parts, decoded. It returns the body, or
    (by a coroutine too) a resource that will write it.
    """

    def register(handler: Handler) -> Handler:
        @wraps(handler)
        def routed(self: object, request: Request, **parts: str) -> Any:
            request.route = pattern
            return handler(self, request, **{k: path_part(v) for k, v in parts.items()})

        app.route(pattern, methods=[method])(routed)
        return handler

    return register


@implementer(IResource)
class Root(Resource):
    """All there is, by the first part of the path; Klein does the rest."""

    isLeaf = True

    def __init__(self, first_parts: Mapping[bytes, IResource], other: IResource) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._first_parts = first_parts
        self._other = other

    def render(self, request: Request) -> Any:
        """Let the one who knows this path answer."""
        return self._first_parts.get(request.postpath[0], self._other).render(request)
