"""What an onboarding left behind, checked from outside: database, log, Slack calls."""

import contextlib
import itertools
import json
import sqlite3
import textwrap
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.run import Stage
from sandbox.scripted_people import STEPS
from sandbox.slack import Call, SlackSandbox

CREDENTIALS = 5


@dataclass
class CallCount:
    """The Slack calls, by the scene in which they were made."""

    slack: SlackSandbox
    _scenes: list[tuple[str, int, float]] = field(default_factory=list)

    def begin(self, scene: str) -> None:
        """From now on, count calls and time for `scene`."""
        self._scenes.append((scene, len(self.slack.calls), time.monotonic()))

    def by_scene(self) -> dict[str, str]:
        """How many calls each scene cost, and how many seconds it took."""
        marks = [*self._scenes, ("", len(self.slack.calls), time.monotonic())]
        return {
            scene: f"{calls_after - calls} in {after - began:.1f} s"
            for (scene, calls, began), (_, calls_after, after) in itertools.pairwise(marks)
        }


@dataclass(frozen=True)
class Check:
    """Something that must be true in the end."""

    title: str
    passed: bool
    found: str


def checks(stage: Stage, exit_status: int) -> list[Check]:
    """Everything that an onboarding must have achieved; the bot has been stopped."""
    return [
        *_stored(stage.database),
        _verification(stage),
        _nothing_twice(stage),
        *_nothing_leaked(stage),
        Check("bot stopped on SIGTERM", exit_status == 0, f"exit status {exit_status}"),
    ]


def print_summary(results: list[Check], counts: CallCount, seconds: float) -> None:
    for check in results:
        print(f"  {'✓' if check.passed else '✗'} {check.title}: {check.found}")
    calls = counts.slack.calls
    methods = Counter(call.method for call in calls)
    limited = sum(call.answer.get("error") == "ratelimited" for call in calls)
    _print_counts(f"Slack calls: {methods.total()}", dict(methods.most_common()))
    _print_counts("Slack calls by scene", counts.by_scene())
    print(f"  · calls refused by Slack's rate limits: {limited}")
    print(f"  · time: {seconds:.1f} s")


def _print_counts(title: str, numbers: Mapping[str, int | str]) -> None:
    listed = ", ".join(f"{name}: {number}" for name, number in numbers.items())
    print(textwrap.fill(f"{title} ({listed})", 92, initial_indent="  · ", subsequent_indent="    "))


def _stored(database: Path) -> Iterator[Check]:
    try:
        with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as opened:
            states = Counter(state.lower() for (state,) in opened.execute("SELECT state FROM step"))
            found = opened.execute("SELECT status FROM onboarding")
            statuses = [status.lower() for (status,) in found]
            (credentials,) = opened.execute("SELECT count(*) FROM credential").fetchone()
    except sqlite3.Error as error:
        yield Check("database", False, str(error))
        return
    done = states["done"]
    yield Check("steps done", done == STEPS == states.total(), f"{done} of {STEPS}")
    yield Check("onboarding", statuses == ["completed"], ", ".join(statuses) or "none")
    yield Check("credentials stored", credentials == CREDENTIALS, f"{credentials}")


def _verification(stage: Stage) -> Check:
    outcomes = [
        str(message.payload.get("outcome"))
        for message in stage.client_channel.messages
        if (message.slot or "").startswith("verification:")
    ]
    passed = bool(outcomes) and outcomes[-1] == "passed"
    return Check("verification", passed, ", ".join(outcomes) or "none")


def _nothing_twice(stage: Stage) -> Check:
    """No slot was posted twice."""
    posted = Counter(
        (message.slot, channel.id)
        for channel in (stage.client_channel, stage.engineering_channel)
        for message in channel.messages
        if message.slot
    )
    twice = [slot for (slot, _), count in posted.items() if count > 1]
    return Check("messages posted twice", not twice, ", ".join(twice) or "none")


def _nothing_leaked(stage: Stage) -> Iterator[Check]:
    """Check for plain values in the wrong places, by searching for the five values themselves."""
    files = stage.directory.glob(f"{stage.database.name}*")
    content = {path.name: path.read_bytes().decode("latin-1") for path in files}
    places = {
        "database": "".join(content.values()),
        "log": stage.bot.log_text(),
        "Slack calls": "".join(
            json.dumps(call.arguments) for call in stage.slack.calls if not _reveals(call)
        ),
        "acknowledgements": "".join(delivery.ack.body for delivery in stage.slack.deliveries),
    }
    values = stage.servicetitan.credentials
    for place, text in places.items():
        leaked = [name for name, value in values.items() if value in text]
        found = ", ".join(leaked) or "none"
        yield Check(f"plain values in {place}", not leaked, found)


def _reveals(call: Call) -> bool:
    """Whether the call shows an engineer a stored credential, where its value is expected."""
    view = call.arguments.get("view")
    return (
        call.method == "views.update"
        and isinstance(view, dict)
        and view.get("callback_id") == "reveal_credentials"
    )
