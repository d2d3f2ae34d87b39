"""Retries a call at startup until the other side answers."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.core.errors import Unavailable
from bot.slack import SlackRefused

log = logging.getLogger(__name__)

# An unknown error from Slack counts as final after this many tries, about two minutes.
MAX_REFUSALS = 8
MAX_PAUSE_SECONDS = 60


async def until_answered(name: str, call: Callable[[], Awaitable[object]]) -> None:
    """Repeat `call` until it succeeds; raises SlackRefused if Slack's refusal is final."""
    pause, refusals = 1, 0
    while True:
        try:
            await call()
        except (Unavailable, SlackRefused) as error:
            if isinstance(error, SlackRefused):
                refusals += 1
                if error.is_final or refusals == MAX_REFUSALS:
                    raise
            log.warning("%s does not answer yet", name, extra={"reason": str(error)})
            await asyncio.sleep(pause)
            pause = min(pause * 2, MAX_PAUSE_SECONDS)
        else:
            return
