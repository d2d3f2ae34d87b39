"""Logging: our own lines as text or JSON; other libraries only from WARNING up.

At DEBUG, Bolt and slack_sdk log whole requests, and httpx logs URLs at INFO; both may contain
credentials. LOG_LEVEL therefore applies to our own loggers only.
"""

import json
import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from bot.core.typed_text import escape_controls

OURS = ("bot", "handlers", "storage")
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

# The id of the request that is being handled, also in tasks started by it.
_request: ContextVar[str | None] = ContextVar("request", default=None)


@contextmanager
def request_id() -> Iterator[None]:
    """Log the same `request` id with every line in the block and in tasks started there."""
    token = _request.set(uuid.uuid4().hex[:8])
    try:
        yield
    finally:
        _request.reset(token)


def set_up(level: str, log_format: str) -> None:
    """Log to standard error, our own lines from `level` up, as `text` or `json`."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in OURS:
        logging.getLogger(name).setLevel(level)


class TextFormatter(logging.Formatter):
    """One line for people: time, level, logger, message, then the extra fields."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's name
        """Return the line with the record's extra fields after it."""
        line = super().formatMessage(record)
        fields = (f"{name}={value}" for name, value in _extra(record).items())
        text = escape_controls(" ".join([line, *fields]))
        return text.replace("\n", "\\n").replace("\t", "\\t")

    def formatException(self, ei: Any) -> str:  # noqa: N802  # logging's name
        """Return the traceback, indented so that none of its lines looks like a log line."""
        lines = super().formatException(ei).split("\n")
        return "\n".join(f"  {escape_controls(line)}" for line in lines)


class JsonFormatter(logging.Formatter):
    """One JSON object per line, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_extra(record),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


def _extra(record: logging.LogRecord) -> dict[str, object]:
    extra = {name: value for name, value in vars(record).items() if name not in STANDARD}
    request = _request.get()
    return {**extra, "request": request} if request else extra
