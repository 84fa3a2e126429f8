"""The log: one event, told to people as a line or to machines as JSON.

Every line passes the redaction last, with its traceback (S-3). The sink decides where it
goes: see `adapters.log_sink`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, Protocol

import structlog

from actors.pure.lines import line
from adapters.secrets import Redaction

Event = MutableMapping[str, Any]

QUIET: Final = ("httpx", "httpx2", "httpcore", "httpcore2", "trio-websocket", "wsproto")


class LogFormat(Enum):
    HUMAN = "human"
    JSON = "json"


class Log(Protocol):
    """What the stage logs with: `log.info("connected", actor="feed:binance", attempt=2)`.

    The words are for people. Other keys are data for machines; people do not see them.
    """

    def debug(self, event: str, *, actor: str, **data: object) -> None: ...
    def info(self, event: str, *, actor: str, **data: object) -> None: ...
    def warning(self, event: str, *, actor: str, **data: object) -> None: ...
    def error(self, event: str, *, actor: str, **data: object) -> None: ...


class LineSink(Protocol):
    def write(self, text: str, /) -> object:
        """Take one finished line, or several with their ends, without waiting."""
        ...


def set_up(
    sink: LineSink,
    *,
    redaction: Redaction,
    now_ms: Callable[[], int],
    log_format: LogFormat = LogFormat.HUMAN,
    level: str = "info",
    mode: str = "",
) -> Log:
    """Return the log, and send what libraries log through Python's `logging` there too.

    `mode` is told with every line (R-44).
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    render = _human if log_format is LogFormat.HUMAN else _json

    def stamp(_: object, __: str, event: Event) -> Event:
        event.setdefault("at_ms", now_ms())
        event["mode"] = mode
        return event

    def clean(_: object, __: str, event: Event) -> str:
        return redaction.clean(render(event))

    log: Log = structlog.wrap_logger(
        _Lines(sink),
        processors=[
            structlog.processors.add_log_level,
            stamp,
            structlog.processors.format_exc_info,
            clean,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=number, handlers=[_Libraries(log)], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    return log


class _Lines:
    """What structlog calls with the finished text."""

    def __init__(self, sink: LineSink) -> None:
        self._sink = sink

    def debug(self, text: str) -> None:
        """Write one line."""
        self._sink.write(f"{text}\n")

    info = warning = error = critical = exception = msg = debug


class _Libraries(logging.Handler):
    """Takes what libraries say through `logging`."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        tell = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        if record.levelno < logging.WARNING:
            tell = self._log.info if record.levelno >= logging.INFO else self._log.debug
        tell(record.getMessage(), actor=record.name, exc_info=record.exc_info)


def _human(event: Event) -> str:
    actor, words = event.get("actor", "fleet"), str(event["event"])
    text = line(event["at_ms"], actor, words, event["mode"])
    exception = event.get("exception")
    return f"{text}\n{exception}" if exception else text


def _json(event: Event) -> str:
    at_ms, mode = event.pop("at_ms"), event.pop("mode")
    at = datetime.fromtimestamp(at_ms // 1000, tz=UTC)
    time = f"{at:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"
    told = {"mode": mode} if mode else {}
    text = structlog.processors.JSONRenderer(ensure_ascii=False)(
        None, "", {"time": time, **told, "actor": event.pop("actor", "fleet"), **event}
    )
    return str(text)
