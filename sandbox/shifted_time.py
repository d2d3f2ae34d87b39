"""`python -m sandbox.shifted_time CLOCK MODULE …`: run a module by a clock that can be moved.

The bot has no setting for the time, so this replaces `time.time` and `datetime.now` before any of
its modules is imported. `time.monotonic`, which asyncio uses for its sleeps, stays real.
"""

import datetime
import runpy
import sys
import time
from pathlib import Path
from typing import Any

from sandbox.clock import SharedClock

_Real = datetime.datetime


class _AnyDatetime(type):
    """Makes ordinary datetimes instances of the replacement, and finds them in tables by type."""

    def __eq__(cls, other: object) -> bool:
        return other is _Real or other is cls

    def __hash__(cls) -> int:
        return hash(_Real)

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, _Real)

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, _Real)


def replace_time(clock: SharedClock) -> None:
    """Make this process read the time from `clock`."""

    class Datetime(_Real, metaclass=_AnyDatetime):
        """Reads the time from another clock, but creates ordinary datetimes."""

        def __new__(cls, *parts: Any, **named: Any) -> Any:
            return _Real(*parts, **named)

        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return _Real.fromtimestamp(clock(), tz)

    time.time = clock
    time.time_ns = lambda: int(clock() * 1_000_000_000)
    datetime.datetime = Datetime  # type: ignore[misc]


if __name__ == "__main__":
    replace_time(SharedClock(Path(sys.argv[1])))
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
