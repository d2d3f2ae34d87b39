"""Changes an onboarding: reads, decides and writes in one transaction, retried on conflicts."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from bot.core.errors import Stale, Unavailable
from bot.onboarding import Change, Onboarding
from storage import handled_requests, onboardings
from storage.database import Collision, Database
from storage.session import Session

MAX_TRIES = 5


async def change(
    database: Database,
    onboarding_id: str,
    transition: Callable[[Onboarding], Change],
    also: Callable[[Session, Onboarding], Awaitable[None]] | None = None,
    request_key: tuple[str, datetime] | None = None,
) -> Onboarding:
    """Apply `transition`, and `also` in the same transaction; return the resulting onboarding.

    `request_key` identifies the request, which makes it idempotent. Raises what the transition
    raises, NotFound, Repeated, and Unavailable if nothing could be written.
    """
    for _ in range(MAX_TRIES):
        try:
            async with database.begin() as session:
                if request_key:  # before deciding: a repeated request must not be refused
                    await handled_requests.claim(session, *request_key)
                before = await onboardings.get(session, onboarding_id, lock=True)
                after = await onboardings.save(session, before, transition(before))
                if also:
                    await also(session, after)
                return after
        except (Stale, Collision):
            continue
    raise Unavailable("too many people change this onboarding at once")
