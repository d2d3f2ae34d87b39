"""Loops over onboardings in which an error with one does not stop the others."""

import logging
from collections.abc import Awaitable, Callable, Iterable

from bot.core.errors import OnboardingError, Repeated, Unavailable

log = logging.getLogger(__name__)

# This many failures in a row mean that the database, or Slack, is unavailable.
MAX_FAILURES_IN_A_ROW = 10


async def for_each(onboarding_ids: Iterable[str], work: Callable[[str], Awaitable[object]]) -> None:
    """Do `work` for each onboarding; log errors and continue with the next one.

    Raises the last Unavailable at the end, so that the caller retries; what is done by then is
    Repeated, and skipped.
    """
    unavailable: list[Unavailable] = []
    in_a_row = 0
    for onboarding_id in onboarding_ids:
        failed = False
        extra = {"onboarding": onboarding_id}
        try:
            await work(onboarding_id)
        except Repeated:
            log.info("already done", extra=extra)
        except Unavailable as error:
            failed = True
            unavailable.append(error)
        except OnboardingError as error:
            log.error("skipped an onboarding", extra={**extra, "reason": str(error)})
        except Exception:
            log.exception("skipped an onboarding", extra=extra)
        in_a_row = in_a_row + 1 if failed else 0
        if in_a_row == MAX_FAILURES_IN_A_ROW:
            break
    if unavailable:
        raise unavailable[-1]
