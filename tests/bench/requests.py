"""Slack's requests, made from those of a real onboarding."""

import copy
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sandbox.bot_process import BotProcess
from sandbox.scripted_people import opened
from sandbox.slack.delivery import Kind, Outgoing
from tests.bench.load import Body
from tests.bench.population import Client
from tests.bench.stage import Platforms, begin

FIELD, FIELD_STEP = "booking_provider_id", 11


@dataclass
class Templates:
    """One request of each kind as Slack really sent it."""

    press: dict[str, Any]
    submission: dict[str, Any]
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(100_000_000))

    def done(self, client: Client, step: int) -> Body:
        """*Done*, pressed by the client's admin."""
        payload, number = copy.deepcopy(self.press), next(self._numbers)
        payload["channel"] = {"id": client.channel.id, "name": client.channel.name}
        payload["container"]["channel_id"] = client.channel.id
        payload["actions"][0] |= {"value": f"{client.id}:{step}", "action_ts": f"{number}.1"}
        payload["trigger_id"] = f"{number}.press"
        return Outgoing("interactive", payload).http_body()

    def form(self, client: Client) -> Body:
        """A form with one credential, a different value each time."""
        payload, number = copy.deepcopy(self.submission), next(self._numbers)
        view = payload["view"]
        metadata = json.loads(view["private_metadata"])
        metadata |= {"channel": client.channel.id, "onboarding_id": client.id}
        view["private_metadata"] = json.dumps(metadata)
        view["id"] = f"V{number}"
        view["state"]["values"][FIELD][FIELD]["value"] = str(number)
        payload["trigger_id"] = f"{number}.form"
        return Outgoing("interactive", payload).http_body()


async def captured(platforms: Platforms, bot: BotProcess) -> Templates:
    """Take the templates from a real onboarding."""
    stage = await platforms.stage(bot)
    onboarding = await begin(stage)
    slack, channel = platforms.slack, stage.client_channel

    def last(kind: Kind) -> dict[str, Any]:
        sent = (
            delivery.outgoing
            for delivery in reversed(slack.deliveries)
            if delivery.outgoing.kind == kind
        )
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
    return Templates(press, last("interactive"))
