"""How fast requests are acknowledged, side by side with the empty stock app."""

import asyncio
import copy
import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import click
from sqlalchemy import func, select
from sqlmodel import col

from bot.onboarding import EventKind
from sandbox.bot_process import BotProcess
from sandbox.scripted_people import opened
from sandbox.slack.delivery import Kind, Outgoing
from storage.tables import CredentialRow, EventRow
from tests.bench.figures import Figure, Round
from tests.bench.load import Body, Load
from tests.bench.population import Client, populate
from tests.bench.stage import Platforms, begin, engine

FIELD = "booking_provider_id"
FIELD_STEP = 11
SECONDS_AT = {10: 4.0, 50: 3.0}  # by the requests a second
WARM_UP = 30
PRESSES_EACH = 5  # so that nobody presses again before the last step was published
Making = Callable[[int], Iterator[Body]]


@dataclass
class Templates:
    """Requests as Slack really sent them, of which the others are made."""

    press: dict[str, Any]
    submission: dict[str, Any]
    command: dict[str, Any]
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(100_000_000))

    def done(self, client: Client, step: int) -> Body:
        """*Done*, pressed by the client's admin."""
        payload, number = copy.deepcopy(self.press), next(self._numbers)
        payload["channel"] = {"id": client.channel.id, "name": client.channel.name}
        payload["container"]["channel_id"] = client.channel.id
        payload["actions"][0] |= {"value": f"{client.id}:{step}", "action_ts": f"{number}.1"}
        payload["trigger_id"] = f"{number}.press"
        return Outgoing("interactive", payload).http_body()

    def submitted(self, client: Client) -> Body:
        """A form with one value, which is another each time."""
        payload, number = copy.deepcopy(self.submission), next(self._numbers)
        view = payload["view"]
        metadata = json.loads(view["private_metadata"])
        metadata |= {"channel": client.channel.id, "onboarding_id": client.id}
        view["private_metadata"] = json.dumps(metadata)
        view["id"] = f"V{number}"
        view["state"]["values"][FIELD][FIELD]["value"] = str(number)
        payload["trigger_id"] = f"{number}.form"
        return Outgoing("interactive", payload).http_body()

    def status(self, channel: str, words: str = "") -> Body:
        """`/servicetitan status …`, typed by the engineer."""
        typed = {
            "channel_id": channel,
            "text": f"status {words}".strip(),
            "trigger_id": f"{next(self._numbers)}.command",
        }
        return Outgoing("slash_commands", self.command | typed).http_body()


async def captured(platforms: Platforms, bot: BotProcess) -> Templates:
    """Take the templates from a real onboarding."""
    stage = await platforms.stage(bot)
    onboarding = await begin(stage)
    slack, channel = platforms.slack, stage.client_channel

    def last(kind: Kind) -> dict[str, Any]:
        sent = (one.outgoing for one in reversed(slack.deliveries) if one.outgoing.kind == kind)
        return copy.deepcopy(next(sent).payload)

    for slot, action in (("step:1", "choose_account:new"), ("step:2", "step_done")):
        message = await slack.until(partial(slack.message, channel, slot))
        await platforms.admin.press(message, action)
    press = last("interactive")
    root = await slack.until(lambda: slack.message(channel, "root"))
    value = f"{onboarding}:{FIELD_STEP}:{FIELD}"
    await platforms.admin.press_raw(root, "enter_credentials", value)
    form = await opened(stage, platforms.admin, "enter_credentials")
    assert (await platforms.admin.submit(form, {FIELD: "123456789"})).ok
    submission = last("interactive")
    assert (await platforms.engineer.command(channel, "/servicetitan", "status")).text
    return Templates(press, submission, last("slash_commands"))


@dataclass
class Target:
    """An app that is measured; a bot has onboardings of its own."""

    name: str
    url: str
    app: BotProcess | None = None
    walking: Sequence[Client] = ()
    entering: Sequence[Client] = ()
    presses: int = 0
    forms: int = 0

    async def populate(self, platforms: Platforms, rounds: int) -> None:
        """Make enough onboardings for so many rounds, before the bot starts."""
        a_round = sum(int(rate * seconds) for rate, seconds in SECONDS_AT.items())
        names, count = self.name.lower(), -(-(rounds * a_round + WARM_UP) // PRESSES_EACH)
        self.walking = await populate(platforms, self.url, f"{names}-w", count, at_step=2)
        self.entering = await populate(platforms, self.url, f"{names}-e", 20, at_step=12)

    def making(self, templates: Templates) -> Mapping[str, Making]:
        """How to make so many requests of each kind."""
        return {
            "*Done*": lambda count: self._done(templates, count),
            "a form": lambda count: self._forms(templates, count),
            "`status`": lambda count: (
                templates.status(self._of(self.walking, number).channel.id)
                for number in range(count)
            ),
        }

    def _done(self, templates: Templates, count: int) -> Iterator[Body]:
        for _ in range(count):
            client = self._of(self.walking, self.presses)
            yield templates.done(client, 2 + self.presses // len(self.walking))
            self.presses += 1

    def _forms(self, templates: Templates, count: int) -> Iterator[Body]:
        for _ in range(count):
            yield templates.submitted(self._of(self.entering, self.forms))
            self.forms += 1

    @staticmethod
    def _of(clients: Sequence[Client], number: int) -> Client:
        return clients[number % len(clients)]

    def check(self) -> None:
        """Say so if a press or a form has not changed what it was to change: it was too late."""
        walking = [one.id for one in self.walking]
        entering = [one.id for one in self.entering]
        done_by_press = (
            col(EventRow.onboarding_id).in_(walking),
            col(EventRow.kind) == EventKind.STEP_DONE.value,
            col(EventRow.step) > 1,
        )
        entered = col(CredentialRow.onboarding_id).in_(entering)
        at = engine(self.url)
        with at.connect() as connection:
            done = connection.execute(select(func.count()).where(*done_by_press)).scalar_one()
            kept = connection.execute(
                select(func.sum(col(CredentialRow.version))).where(entered)
            ).scalar_one()
        at.dispose()
        if done != self.presses:
            click.echo(f"{self.name}: {done} steps after {self.presses} presses", err=True)
        if kept != self.forms:
            click.echo(f"{self.name}: {kept} values after {self.forms} forms", err=True)


async def prepared(platforms: Platforms, urls: Mapping[str, str], rounds: int) -> list[Target]:
    """Return what is to be measured, not started yet."""
    targets = [Target(name, url) for name, url in urls.items()]
    for target in targets:
        await target.populate(platforms, rounds)
    return targets


async def measure(
    platforms: Platforms,
    load: Load,
    stock: BotProcess,
    targets: Sequence[Target],
    templates: Templates,
    rounds: int,
) -> list[Figure]:
    """Send every kind of request to every app in turn, round after round."""
    first = targets[0]
    empty = Target("stock", "", stock, first.walking, first.entering)
    found: dict[tuple[str, str, int], list[Round]] = defaultdict(list)
    secret = platforms.slack.signing_secret
    for number in range(-1, rounds):  # the first only warms up
        for what in targets[0].making(templates):
            for rate, seconds in SECONDS_AT.items():
                for target in (empty, *targets):
                    count = int(rate * seconds) if number >= 0 else WARM_UP // 2
                    bodies = list(target.making(templates)[what](count))
                    assert target.app
                    took = await load.send(target.app.events_url, secret, bodies, rate)
                    if number >= 0:
                        found[target.name, what, rate].append(Round.of(took))
                    await _settled(platforms)
    for target in targets:
        target.check()
    return [
        figure
        for what in targets[0].making(templates)
        for rate in SECONDS_AT
        for target in targets
        for figure in _figures(
            f"{what} at {rate}/s, {target.name}",
            Round.typical(found[target.name, what, rate]),
            Round.typical(found["stock", what, rate]),
        )
    ]


def _figures(what: str, bot: Round, stock: Round) -> Iterator[Figure]:
    for name, value, against in (("p50", bot.p50, stock.p50), ("p99", bot.p99, stock.p99)):
        yield Figure("acknowledgements", f"{what}, {name}", value, "ms", against, aim=1.0)


async def _settled(platforms: Platforms) -> None:
    """Wait until Slack was not called for a while: what is left must not disturb the next."""
    calls = -1
    while len(platforms.slack.calls) != calls:
        calls = len(platforms.slack.calls)
        await asyncio.sleep(0.3)
