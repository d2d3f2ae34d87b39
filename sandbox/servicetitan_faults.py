"""Faults that the pretend ServiceTitan was told to have, and whose turn it is."""

from dataclasses import dataclass
from typing import Literal

FaultKind = int | Literal["html", "timeout", "drop"]


@dataclass
class Fault:
    """What goes wrong at `endpoint` (or "all"), for how many more requests (None: for ever)."""

    endpoint: str
    status: FaultKind
    left: int | None
    retry_after: int | None


class Faults:
    """The faults in force; the one that was added first goes first."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def clear(self) -> None:
        self._faults.clear()

    def take(self, endpoint: str) -> Fault | None:
        """The fault for the next request to `endpoint`, if there is one; uses it up by one."""
        for fault in self._faults:
            if fault.endpoint in (endpoint, "all") and fault.left != 0:
                fault.left = None if fault.left is None else fault.left - 1
                return fault
        return None
