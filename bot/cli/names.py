"""Asks Slack for what an export needs: names of people and channels, and the workspace."""

import asyncio
import time
from collections.abc import Iterable, Mapping

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
    async with slack_session(TIMEOUT_SECONDS) as session:
        client = slack_client(settings, session)
        slack = Slack(client, Metrics(), RateLimits(time.monotonic))
        room, is_away = asyncio.Semaphore(AT_ONCE), asyncio.Event()
        url = ""
        try:
            url = (await slack.identify()).url
        except SlackRefused:  # the token is wrong, so there are no names either
            pass
        except OnboardingError:
            is_away.set()

        async def name_of(id_: str) -> str:
            async with room:
                if is_away.is_set():
                    return ""
                try:
                    if id_.startswith(("C", "G")):
                        return f"#{(await slack.channel(id_)).name}"
                    return (await slack.user(id_)).name
                except SlackRefused:  # unknown to Slack, or not visible to the bot
                    return ""
                except OnboardingError:  # don't wait for Slack once more for each name
                    is_away.set()
                    return ""

        known = sorted({id_ for id_ in ids if id_})
        found = await asyncio.gather(*map(name_of, known))
    told = zip(known, found, strict=True)
    return {id_: name for id_, one in told if (name := one_line(one))}, url
