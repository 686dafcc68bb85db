"""The log: how much is written, and in which form.

Where it goes is twistd's affair (``--logfile``, ``--syslog``). It makes its observer only after it
has called us, and hands it to nobody but Twisted's LogBeginner, so that is where ours comes in.
Twisted keeps what is logged before, so what is decided here holds from the first line on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from string import Formatter
from typing import Any

from twisted.logger import (
    FileLogObserver,
    FilteringLogObserver,
    ILogObserver,
    LogBeginner,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    formatEvent,
)

LEVELS = ("debug", "info", "warn", "error")
JSON = "json"
FORMATS = ("plain", JSON)


def shape_log(beginner: LogBeginner, level: str, form: str) -> Callable[[str], None]:
    """Have logging begin with events of ``level`` and above only, written in ``form``.

    The form is that of files and standard output; syslog has its own. What is returned sets
    another level.
    """
    begin = beginner.beginLoggingTo
    least = LogLevelFilterPredicate()

    def set_level(level: str) -> None:
        least.setLogLevelForNamespace("", LogLevel.lookupByName(level))

    def begin_shaped(observers: Iterable[ILogObserver], *args: Any, **kwargs: Any) -> None:
        begin([_shape(observer, least, form) for observer in observers], *args, **kwargs)

    set_level(level)
    beginner.beginLoggingTo = begin_shaped  # type: ignore[method-assign]
    return set_level


def _shape(observer: ILogObserver, least: LogLevelFilterPredicate, form: str) -> ILogObserver:
    if form == JSON and isinstance(observer, FileLogObserver):
        observer.formatEvent = as_json
    return FilteringLogObserver(observer, [least])


def as_json(event: LogEvent) -> str:
    """An event as a JSON object on a line of its own.

    ``time`` (RFC 3339), ``level``, ``namespace`` and ``message`` are always there, ``traceback``
    where there is one; ``fields`` has what was put into the message, to be searched by.
    """
    time = datetime.fromtimestamp(event["log_time"], UTC).isoformat(timespec="milliseconds")
    level = event.get("log_level")
    document = {
        "time": time.removesuffix("+00:00") + "Z",
        "level": "info" if level is None else level.name,
        "namespace": event.get("log_namespace") or "-",
        "message": formatEvent(event),
    }
    fields = dict(_fields(event))
    if fields:
        document["fields"] = fields
    if "log_failure" in event:
        document["traceback"] = event["log_failure"].getTraceback()
    return json.dumps(document) + "\n"


def _fields(event: LogEvent) -> Iterator[tuple[str, str | float]]:
    """What the message was made of, as far as it is plain values."""
    try:
        names = [name for _, name, _, _ in Formatter().parse(event.get("log_format") or "")]
    except ValueError:
        return
    for name in names:
        if name and not name.startswith("log_"):
            value = event.get(name)
            if isinstance(value, str | int | float):
                yield name, value
