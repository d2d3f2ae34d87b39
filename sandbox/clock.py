"""A clock that the sandbox and the bot's process share, and that can be moved ahead."""

import math
import mmap
import struct
import time
from pathlib import Path

real_time = time.time  # `sandbox.shifted_time` replaces the one in the module

_LAYOUT = struct.Struct("dd")  # the offset from real time, and the time it is frozen at (or NaN)


class SharedClock:
    """Seconds since the epoch. Every process that opens the same file reads the same time."""

    def __init__(self, path: Path) -> None:
        """Open the clock kept in `path`; a missing file is created, and shows real time."""
        self.path = path
        if not path.exists():
            path.write_bytes(_LAYOUT.pack(0.0, math.nan))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _LAYOUT.size)

    def __call__(self) -> float:
        offset: float
        held: float
        offset, held = _LAYOUT.unpack_from(self._map)
        return real_time() + offset if math.isnan(held) else held

    def advance(self, seconds: float) -> None:
        """Jump ahead; a frozen clock is frozen at the later time."""
        offset, held = _LAYOUT.unpack_from(self._map)
        _LAYOUT.pack_into(self._map, 0, offset + seconds, held + seconds)

    def hold(self, at: float) -> None:
        """Freeze the clock at a time, so that two runs show the same times."""
        _LAYOUT.pack_into(self._map, 0, at - real_time(), at)
