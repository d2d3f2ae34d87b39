"""A lease is renewed while its work runs, and the work stops when the lease is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bot.core.errors import Stale, Unavailable
from bot.core.leases import RENEWALS, keep_lease

SHORT = timedelta(milliseconds=400)
LONG = timedelta(minutes=1)


def prolong_returning(*answers: bool | Exception) -> Callable[[], Awaitable[bool]]:
    """Return a `prolong` that gives these answers in turn, then repeats the last one."""
    left = list(answers)

    async def prolong() -> bool:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return prolong


async def work(lease: timedelta = SHORT, *answers: bool | Exception, seconds: float = 60) -> None:
    async with keep_lease(prolong_returning(*answers), lease):
        await asyncio.sleep(seconds)


async def test_work_longer_than_the_lease_completes() -> None:
    await work(SHORT, True, seconds=3 * SHORT.total_seconds())


async def test_work_ends_when_somebody_else_has_the_lease() -> None:
    with pytest.raises(Stale):
        await work(SHORT, True, False)


async def test_work_ends_when_the_database_is_down_until_the_lease_expires() -> None:
    with pytest.raises(Stale):
        await work(SHORT, Unavailable("away"))


async def test_a_brief_database_outage_does_not_end_the_work() -> None:
    answers: list[bool | Exception] = [Unavailable("away"), True] * RENEWALS
    await work(SHORT, *answers, seconds=2 * SHORT.total_seconds())


async def test_a_timeout_in_the_work_is_not_mistaken_for_a_lost_lease() -> None:
    with pytest.raises(TimeoutError):
        async with keep_lease(prolong_returning(True), LONG):
            raise TimeoutError


async def test_lease_renewal_stops_when_the_work_is_done() -> None:
    before = asyncio.all_tasks()
    await work(LONG, True, seconds=0)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
