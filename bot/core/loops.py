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
    last: Unavailable | None = None
    in_a_row = 0
    for onboarding_id in onboarding_ids:
        extra = {"onboarding": onboarding_id}
        try:
            await work(onboarding_id)
        except Unavailable as error:
            last, in_a_row = error, in_a_row + 1
            if in_a_row == MAX_FAILURES_IN_A_ROW:
                break
            continue
        except Repeated:
            log.info("already done", extra=extra)
        except OnboardingError as error:
            log.error("skipped an onboarding", extra={**extra, "reason": str(error)})
        except Exception:
            log.exception("skipped an onboarding", extra=extra)
        in_a_row = 0
    if last:
        raise last
