"""Asks Slack for what an export needs: names of people and channels, and the workspace."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress

from bot.app.http_clients import slack_client, slack_session
from bot.app.settings import Settings
from bot.core.errors import OnboardingError
from bot.core.metrics import Metrics
from bot.core.typed_text import one_line
from bot.slack import Slack, SlackRefused
from bot.slack.rate_limits import RateLimits

TIMEOUT_SECONDS = 5
AT_ONCE = 5


async def names_of(settings: Settings, ids: Iterable[str]) -> tuple[Mapping[str, str], str]:
    """Return the names of these users (U…, W…) and channels (C…, G…), if Slack gives them.

    Also return the workspace's address, which permalinks begin with; empty if Slack doesn't answer.
    """
    names: dict[str, str] = {}
    room = asyncio.Semaphore(AT_ONCE)

    async def look_up(slack: Slack, id_: str) -> None:
        async with room:
            with suppress(SlackRefused):  # unknown to Slack, or not visible to the bot
                if id_.startswith(("C", "G")):
                    names[id_] = f"#{(await slack.channel(id_)).name}"
                else:
                    names[id_] = (await slack.user(id_)).name

    async with slack_session(TIMEOUT_SECONDS) as session:
        client = slack_client(settings, session)
        slack = Slack(client, Metrics(), RateLimits(time.monotonic))
        try:
            url = (await slack.identify()).url
        except OnboardingError:
            return {}, ""
        try:
            async with asyncio.TaskGroup() as group:
                for id_ in {*ids} - {""}:
                    group.create_task(look_up(slack, id_))
        except* OnboardingError:  # Slack is away: don't wait for each of the other names
            pass
    return {id_: name for id_ in sorted(names) if (name := one_line(names[id_]))}, url
