"""A clock that only moves when told to."""

from dataclasses import dataclass


@dataclass
class FrozenClock:
    """For `SlackSandbox(clock=…)`: seconds since the epoch, advanced by hand."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
