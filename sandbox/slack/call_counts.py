"""How hard Slack is called, so that a test can see hammering."""

from collections import Counter, deque
from collections.abc import Iterable

from sandbox.slack.server import Call


def per_second(calls: Iterable[Call]) -> Counter[tuple[str, int]]:
    """How many calls of each method fell into each second of the sandbox's clock."""
    return Counter((call.method, int(call.at)) for call in calls)


def most_within(calls: Iterable[Call], seconds: float, method: str | None = None) -> int:
    """The most calls, of one method or of all, within any `seconds` on end."""
    window: deque[float] = deque()
    most = 0
    for at in sorted(call.at for call in calls if method in (None, call.method)):
        window.append(at)
        while window[0] <= at - seconds:
            window.popleft()
        most = max(most, len(window))
    return most
