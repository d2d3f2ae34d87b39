"""Outages: periods in which calls fail at random, reproducibly for the same seed."""

import math
import random
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import NamedTuple, Self

from sandbox.slack.faults import Fault
from sandbox.slack.model import Json


class Trouble(Enum):
    """What a caller gets in an outage instead of a response; its value is the fault."""

    RATE_LIMITED = Fault("", status=429)  # `retry_after` is the outage's
    SERVER_ERROR = Fault("", status=500)
    UNAVAILABLE = Fault("", status=503)
    SILENCE = Fault("", hang=5.0)  # `hang` is the outage's `silence`
    RESET = Fault("", drop=True)
    FATAL_ERROR = Fault("", error="fatal_error")
    INTERNAL_ERROR = Fault("", error="internal_error")
    HTML = Fault("", body="<html><h1>Be right back</h1></html>", content_type="text/html")
    BROKEN_JSON = Fault("", body='{"ok": true, "ts": "17')
    NO_OBJECT = Fault("", body='["ok"]')
    NOTHING_ELSE = Fault("", body='{"ok": true}')  # without what was asked for


class Hit(NamedTuple):
    """A call that failed; `performed`: Slack did what was asked anyway."""

    method: str
    trouble: Trouble
    performed: bool
    at: float


@dataclass
class Outage:
    """For as long as it `lasts`, calls fail with `probability`.

    `methods` are names of methods, or "response_url"; None: all. Each failing call gets one of
    `troubles`; with the probability `performed`, it is carried out first. An unanswered call waits
    for `silence` seconds. Which call fails and how depends on `seed` and how many earlier calls
    its method had, so concurrent calls of different methods don't affect each other's results.

    A rate limit lasts until `retry_after` seconds have passed; `impatient` counts the calls that
    did not wait (docs: apis/web-api/rate-limits; chat.postMessage counts by channel). The outage
    ends by the sandbox's clock, by `end()`, or with a `with` block.
    """

    clock: Callable[[], float]
    probability: float = 1.0
    seed: int = 0
    methods: Collection[str] | None = None
    troubles: Collection[Trouble] = tuple(Trouble)
    performed: float = 0.5
    retry_after: int = 1
    silence: float = 5.0
    lasts: float = math.inf
    hits: list[Hit] = field(default_factory=list)
    impatient: int = 0
    _seen: Counter[str] = field(default_factory=Counter)
    _limited: dict[tuple[str, object], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ends = self.clock() + self.lasts

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.end()

    def end(self) -> None:
        self._ends = -math.inf

    def take(self, method: str, arguments: Json) -> Fault | None:
        """The fault that hits this call, if any."""
        is_over = self.clock() >= self._ends
        if is_over or (self.methods is not None and method not in self.methods):
            return None
        key = (method, arguments.get("channel") if method == "chat.postMessage" else None)
        waits = self._limited.get(key, -math.inf) - self.clock()
        if waits > 0:
            self.impatient += 1
            return self._hit(method, Trouble.RATE_LIMITED, False, math.ceil(waits))
        number, self._seen[method] = self._seen[method], self._seen[method] + 1
        # A str as seed gives the same numbers in every process, unlike hash().
        chance = random.Random(f"{self.seed}:{method}:{number}")  # noqa: S311 (no secret)
        if chance.random() >= self.probability:
            return None
        trouble = chance.choice(list(self.troubles))
        performed = chance.random() < self.performed and trouble is not Trouble.RATE_LIMITED
        performed = performed or trouble is Trouble.NOTHING_ELSE  # its response says `ok`
        if trouble is Trouble.RATE_LIMITED:
            self._limited[key] = self.clock() + self.retry_after
        return self._hit(method, trouble, performed, self.retry_after)

    def _hit(self, method: str, trouble: Trouble, performed: bool, wait: int) -> Fault:
        self.hits.append(Hit(method, trouble, performed, self.clock()))
        fault = replace(trouble.value, method=method, performed=performed)
        if trouble is Trouble.RATE_LIMITED:
            fault.retry_after = wait
        if trouble is Trouble.SILENCE:
            fault.hang = self.silence
        return fault
