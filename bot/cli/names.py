"""The names of people and channels, as Slack tells them now."""

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


async def names_of(settings: Settings, ids: Iterable[str]) -> Mapping[str, str]:
    """Return the names that Slack tells of these users (U…, W…) and channels (C…, G…)."""
    async with slack_session(TIMEOUT_SECONDS) as session:
        client = slack_client(
            settings.slack_bot_token.get_secret_value(),
            settings.slack_api_url,
            session,
            settings.proxy,
        )
        slack, room = (
            Slack(client, Metrics(), RateLimits(time.monotonic)),
            asyncio.Semaphore(AT_ONCE),
        )

        is_away = asyncio.Event()

        async def name_of(id_: str) -> str:
            async with room:
                if is_away.is_set():
                    return ""
                try:
                    if id_.startswith(("C", "G")):
                        return f"#{(await slack.channel(id_)).name}"
                    return (await slack.user(id_)).name
                except SlackRefused:  # Slack doesn't know it, or may not tell
                    return ""
                except OnboardingError:  # don't wait for Slack once more for each name
                    is_away.set()
                    return ""

        known = sorted({id_ for id_ in ids if id_})
        found = await asyncio.gather(*map(name_of, known))
    return {id_: name for id_, told in zip(known, found, strict=True) if (name := one_line(told))}
