"""Loops over several onboardings: what goes wrong with one of them does not stop the others."""

import logging
from collections.abc import Awaitable, Callable, Iterable

from bot.core.errors import OnboardingError, Repeated, Unavailable

log = logging.getLogger(__name__)

# So many in a row, and it is not about them: the database, or Slack, is away.
TOO_MANY = 10


async def for_each(onboarding_ids: Iterable[str], work: Callable[[str], Awaitable[object]]) -> None:
    """Do `work` for each onboarding, whatever became of the one before.

    What was done before is passed over; what is broken is named in the log. Raises the last
    Unavailable at the end, so that the caller is asked again, when only what is left gets done.
    """
    away: list[Unavailable] = []
    in_a_row = 0
    for onboarding_id in onboarding_ids:
        failed = False
        extra = {"onboarding": onboarding_id}
        try:
            await work(onboarding_id)
        except Repeated:
            log.info("done before", extra=extra)
        except Unavailable as error:
            failed = True
            away.append(error)
        except OnboardingError as error:
            log.error("one onboarding was left out", extra={**extra, "reason": str(error)})
        except Exception:
            log.exception("one onboarding was left out", extra=extra)
        in_a_row = in_a_row + 1 if failed else 0
        if in_a_row == TOO_MANY:
            break
    if away:
        raise away[-1]
