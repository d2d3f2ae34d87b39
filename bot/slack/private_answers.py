"""Private answers: by chat.postEphemeral and by the response_url, until one of them gets through.

No document says that chat.postEphemeral reaches people of another organization, and a response_url
works five times within 30 minutes: each is the other's way out.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.core.errors import OnboardingError, Unavailable
from bot.slack.errors import NO_THREAD, RateLimited, SlackRefused
from bot.slack.web_api import Slack

# After each of these pauses it is tried once more; the person is still there.
PAUSES_SECONDS = (1.0, 3.0, 9.0)
LONGEST_WAIT_SECONDS = 30.0

Way = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is told, and where they are; the `response_url` is that of what they pressed."""

    channel: str
    user_id: str
    thread_ts: str | None = None
    response_url: str | None = None


async def tell_privately(
    slack: Slack,
    to: Recipient,
    text: str,
    *,
    blocks: Sequence[Mapping[str, Any]] = (),
    replace: bool = False,
) -> None:
    """Tell one person what only they see; with `replace` in the place of what they pressed.

    A way that is away is tried again after a while; what may have got through is then said twice,
    as that is better than never. Raises SlackRefused or Unavailable if nothing gets through.
    """

    async def whisper() -> None:
        await _whisper(slack, to, text, blocks)

    async def respond() -> None:
        where = None if replace else to.thread_ts
        url = to.response_url or ""
        await slack.respond(url, text, blocks=blocks, thread_ts=where, replace=replace)

    ways: list[Way] = [whisper, respond] if to.response_url else [whisper]
    if replace:
        ways.reverse()
    for pause in PAUSES_SECONDS:
        try:
            return await _first_that_works(ways)
        except Unavailable as error:
            asked = error.seconds if isinstance(error, RateLimited) else 0.0
            await asyncio.sleep(min(max(pause, asked), LONGEST_WAIT_SECONDS))
    return await _first_that_works(ways)


async def _whisper(
    slack: Slack, to: Recipient, text: str, blocks: Sequence[Mapping[str, Any]]
) -> None:
    try:
        await slack.whisper(to.channel, to.user_id, text, blocks=blocks, thread_ts=to.thread_ts)
    except SlackRefused as error:
        if to.thread_ts is None or error.code not in NO_THREAD:
            raise
        await slack.whisper(to.channel, to.user_id, text, blocks=blocks)


async def _first_that_works(ways: list[Way]) -> None:
    """Try one way after the other; those that are refused are never tried again.

    Raises the last Unavailable if one of them may work later, else the last SlackRefused.
    """
    errors: list[OnboardingError] = []
    for way in ways.copy():
        try:
            return await way()
        except SlackRefused as error:
            ways.remove(way)
            errors.append(error)
        except Unavailable as error:
            errors.append(error)
    raise ([error for error in errors if isinstance(error, Unavailable)] or errors)[-1]
