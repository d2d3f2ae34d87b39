"""Private messages: by chat.postEphemeral and by the response_url, until one succeeds.

Slack does not document that chat.postEphemeral reaches people of another organization, and a
response_url works five times within 30 minutes, so each is the fallback of the other.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.core.errors import OnboardingError, Unavailable
from bot.slack.errors import NO_THREAD, RateLimited, SlackRefused
from bot.slack.web_api import Blocks, Slack

# Pauses between attempts; the person is probably still there.
PAUSES_SECONDS = (1.0, 3.0, 9.0)
LONGEST_WAIT_SECONDS = 30.0

Route = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who to tell, and where; `response_url` comes from what they pressed."""

    channel: str
    user_id: str
    thread_ts: str | None = None
    response_url: str | None = None


async def tell_privately(
    slack: Slack,
    to: Recipient,
    text: str,
    *,
    blocks: Blocks = (),
    replace: bool = False,
) -> None:
    """Show one person a message that only they see; `replace` replaces what they pressed.

    While Slack is unavailable, it is tried again after a pause: twice is better than never. Raises
    SlackRefused or Unavailable if all attempts fail.
    """

    async def ephemeral() -> None:
        where, who = to.channel, to.user_id
        try:
            await slack.post_ephemeral(where, who, text, blocks=blocks, thread_ts=to.thread_ts)
        except SlackRefused as error:
            if to.thread_ts is None or error.code not in NO_THREAD:
                raise
            await slack.post_ephemeral(where, who, text, blocks=blocks)

    async def respond() -> None:
        where = None if replace else to.thread_ts
        url = to.response_url or ""
        await slack.respond(url, text, blocks=blocks, thread_ts=where, replace=replace)

    routes: list[Route] = [ephemeral, respond] if to.response_url else [ephemeral]
    if replace:
        routes.reverse()
    for pause in PAUSES_SECONDS:
        try:
            return await _first_that_works(routes)
        except Unavailable as error:
            asked = error.seconds if isinstance(error, RateLimited) else 0.0
            await asyncio.sleep(min(max(pause, asked), LONGEST_WAIT_SECONDS))
    return await _first_that_works(routes)


async def _first_that_works(routes: list[Route]) -> None:
    """Try one route after the other; those that are refused are removed.

    Raises the last Unavailable if a route may work later, else the last SlackRefused.
    """
    errors: list[OnboardingError] = []
    for route in routes.copy():
        try:
            return await route()
        except SlackRefused as error:
            routes.remove(route)
            errors.append(error)
        except Unavailable as error:
            errors.append(error)
    raise ([error for error in errors if isinstance(error, Unavailable)] or errors)[-1]
