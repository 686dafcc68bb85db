"""Klein's routes, with what all of ours have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial, wraps
from types import CoroutineType
from typing import Any, TypeVar

from klein import Klein
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET
from werkzeug.exceptions import MethodNotAllowed
from zope.interface import implementer

from tempmail.core.limits import MAX_KNOWN_PATHS
from tempmail.web.eager import eager
from tempmail.web.origins import tell_methods
from tempmail.web.problems import allowed_methods
from tempmail.web.query import path_part
from tempmail.web.request import Request

Handler = TypeVar("Handler", bound=Callable[..., Any])


def new_app() -> Klein:
    """A Klein for :class:`Routes`."""
    app = Klein()
    # A doubled slash is another path, not a reason to send the client elsewhere.
    app.url_map.merge_slashes = False
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
            answer = handler(self, request, **{k: path_part(v) for k, v in parts.items()})
            return eager(answer) if isinstance(answer, CoroutineType) else answer

        app.route(pattern, methods=[method])(routed)
        return handler

    return register


@implementer(IResource)
class Routes(Resource):
    """A Klein's routes, run the way our requests are answered.

    Klein's own resource is made for all that a handler may return in any of its applications, by
    four Deferreds and 4 kB a request: half of what a small answer took (``make bench``, opening).
    """

    isLeaf = True

    def __init__(self, app: Klein) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._app = app
        # No route depends on what a client calls us. Whoever polls asks for the same path each
        # time, and finding its route takes 15 of the 60 microseconds that such an answer does.
        paths = app.url_map.bind("localhost")
        self._find = lru_cache(MAX_KNOWN_PATHS)(partial(paths.match, return_rule=True))

    def render(self, request: Request) -> Any:
        """Let the handler answer; every error is answered with a problem, by the request."""
        path = b"/" + b"/".join(request.postpath)
        try:
            rule, parts = self._find(path.decode(), request.method.decode("latin-1"))
        except MethodNotAllowed as error:
            if request.method != b"OPTIONS":
                raise
            request.finish_with(tell_methods(request, allowed_methods(error)))
            return NOT_DONE_YET
        answer: Any = self._app.execute_endpoint(rule.endpoint, request, **parts)
        request.answer(answer)
        return NOT_DONE_YET


@implementer(IResource)
class Root(Resource):
    """All there is, by the first part of the path."""

    isLeaf = True

    def __init__(self, first_parts: Mapping[bytes, IResource], other: IResource) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._first_parts = first_parts
        self._other = other

    def render(self, request: Request) -> Any:
        """Let the one who knows this path answer."""
        return self._first_parts.get(request.postpath[0], self._other).render(request)
