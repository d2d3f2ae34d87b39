"""What one client's onboarding takes: windows, what a press makes visible, calls, verification."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from sqlmodel import select

from sandbox.run import Stage
from sandbox.scenario import SHOWN_AT, Play
from sandbox.scripted_people import next_step, opened, submit
from sandbox.slack import Call, Message, offers
from sandbox.summary import CallCount
from storage.tables import VerificationRow
from tests.bench.figures import Figure
from tests.bench.stage import begin, engine, platforms

SLACK_SECONDS = 0.08
PROBE_SECONDS = 0.25
QUIET_SECONDS = 0.4
LOOKED_UP = ("users.", "usergroups.", "conversations.", "auth.", "team.")


async def windows(directory: Path, url: str, name: str, presses: int) -> list[Figure]:
    """From a press until Slack has got `views.open`."""
    async with platforms(directory) as everything:
        stage = await everything.stage(await everything.start("windows", url))
        await begin(stage)
        message = await stage.slack.until(
            lambda: stage.slack.message(stage.client_channel, "step:1")
        )
        found = []
        for _ in range(presses):
            began = time.time()
            await stage.admin.press(message, "step_help")
            await opened(stage, stage.admin, "ask_for_help")
            found.append(stage.slack.calls_of("views.open")[-1].at - began)
            assert stage.admin.view
            await stage.admin.close(stage.admin.view)
            await asyncio.sleep(0.05)
    return [
        Figure("windows", f"press → `views.open` at Slack, {name}, p50", median(found) * 1000, "ms")
    ]


async def visible(directory: Path, url: str, name: str, presses: int) -> list[Figure]:
    """From *Done* until Slack shows all of it, when each of its calls takes 80 ms."""
    async with platforms(directory, latency=SLACK_SECONDS) as everything:
        stage = await everything.stage(await everything.start("visible", url))
        await begin(stage)
        slack, channel = stage.slack, stage.client_channel
        first = await slack.until(lambda: slack.message(channel, "step:1"))
        await stage.admin.press(first, "choose_account:new")
        took = []
        for number in range(2, 2 + presses):
            _, message = await next_step(stage, after=number - 1)
            await quiet(stage)
            known, began = len(slack.calls), time.time()
            await stage.admin.press(message, "step_done")
            await quiet(stage)
            calls = [one for one in slack.calls[known:] if one.method.startswith("chat.")]
            assert calls
            took.append(max(one.at for one in calls) - began)
    what = f"*Done* → everything visible, Slack at {SLACK_SECONDS * 1000:.0f} ms a call, {name}"
    slowest = SLACK_SECONDS * 1000
    return [Figure("visible", f"{what}, p50", median(took) * 1000, "ms", slowest, aim=1.3)]


@dataclass
class HappyPath(Play):
    """No undo, no help, no mistake: what an onboarding takes at least."""

    scenes: dict[str, Counter[str]] = field(default_factory=dict)
    _begun: tuple[str, int] = ("", 0)

    async def client_takes(self, number: int, message: Message) -> None:
        await self._scene(f"step {number}")
        await self.client_enters_what_is_shown(number, message)
        action = "choose_account:new" if offers(message, "choose_account:new") else "step_done"
        await self.stage.admin.press(message, action)

    async def client_enters_what_is_shown(self, number: int, message: Message) -> None:
        if names := SHOWN_AT.get(number):
            values = {name: self.stage.servicetitan.credentials[name] for name in names}
            await self.stage.admin.press(message, "enter_credentials")
            form = await opened(self.stage, self.stage.admin, "enter_credentials")
            assert (await submit(self.stage.admin, form, values)).ok
            self.known |= values
            await self._scene(f"step {number}, *Done*")

    async def engineer_looks_at_the_values(self, message: Message) -> None:
        await self._scene(f"step {message.slot}, reveal")
        await super().engineer_looks_at_the_values(message)
        await self._scene(f"step {message.slot}, *Done*")

    async def run(self) -> None:
        self._begun = ("start", len(self.stage.slack.calls))
        await super().run()
        await self._scene("")

    async def _scene(self, name: str) -> None:
        await quiet(self.stage)
        calls = self.stage.slack.calls
        scene, first = self._begun
        self.scenes[scene] = Counter(_purpose(self.stage, one) for one in calls[first:])
        self._begun = (name, len(calls))


async def calls(directory: Path, url: str) -> list[Figure]:
    """Count what Slack is called for, and see how long the verification takes."""
    async with platforms(directory) as everything:
        stage = await everything.stage(await everything.start("calls", url))
        everything.servicetitan.slow(PROBE_SECONDS)
        known = len(stage.slack.calls)
        path = HappyPath(stage, CallCount(stage.slack))
        await path.run()
        made = stage.slack.calls[known:]
    return [*_counted(path, stage, made), *_verifications(url)]


def _counted(path: HappyPath, stage: Stage, made: list[Call]) -> Iterator[Figure]:
    plain = {name: kinds for name, kinds in path.scenes.items() if name[5:].isdecimal()}
    done = [kinds["thread"] for kinds in plain.values()]
    yield Figure("calls", "Slack calls of a plain *Done*, the most", max(done), "", aim=3)
    every = [sum(kinds.values()) for kinds in path.scenes.values()]
    yield Figure("calls", "Slack calls of any scene but the start, the most", max(every[1:]), "")
    yield Figure("calls", "Slack calls of an onboarding", len(made), "", aim=90)
    for purpose, count in Counter(_purpose(stage, one) for one in made).most_common():
        yield Figure("calls", f"… {purpose}", count, "")
    for method, count in Counter(one.method for one in made).most_common():
        yield Figure("calls", f"… `{method}`", count, "")


def _purpose(stage: Stage, call: Call) -> str:
    method, channel = call.method, call.arguments.get("channel")
    if method.startswith("chat."):
        return "announcements" if channel == stage.engineering_channel.id else "thread"
    if method.startswith("views."):
        return "windows"
    return "looking up" if method.startswith(LOOKED_UP) else "pin and bookmark"


def _verifications(url: str) -> Iterator[Figure]:
    at = engine(url)
    with at.connect() as connection:
        reports = connection.execute(select(VerificationRow.report)).scalars().all()
    at.dispose()
    took = [json.loads(one)["duration_ms"] for one in reports if one]
    against = 2 * PROBE_SECONDS * 1000
    what = f"verification, ServiceTitan at {PROBE_SECONDS * 1000:.0f} ms a request"
    yield Figure("verification", f"{what}, the slowest", max(took), "ms", against, aim=1.2)


async def quiet(stage: Stage) -> None:
    """Wait until Slack was not called for a while."""
    known = -1
    while len(stage.slack.calls) != known:
        known = len(stage.slack.calls)
        await asyncio.sleep(QUIET_SECONDS)
