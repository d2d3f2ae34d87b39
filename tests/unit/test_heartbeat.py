"""A lease is kept while its work goes on, and the work ends when the lease is lost."""

import asyncio
from typing import NoReturn

import pytest

from bot.errors import Stale, Unavailable
from bot.heartbeat import kept

LASTS = 9.0


class Time:
    """Lets so many pauses pass at once; from then on it stands still."""

    def __init__(self, pauses: int) -> None:
        self._left = pauses
        self.pauses: list[float] = []
        self.stands_still = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        if not self._left:
            self.stands_still.set()
            await asyncio.Event().wait()
        self._left -= 1
        self.pauses.append(seconds)


class Lease:
    """One that `answers` tell of: an error each, or None; afterwards all is well."""

    def __init__(self, *answers: Exception | None) -> None:
        self._answers = list(answers)
        self.prolonged = 0

    async def prolong(self) -> None:
        self.prolonged += 1
        if self._answers and (answer := self._answers.pop(0)):
            raise answer


async def endless() -> NoReturn:
    async with asyncio.timeout(5):  # if nobody ends it
        await asyncio.Event().wait()
    raise AssertionError


def others() -> set[asyncio.Task[object]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


async def test_it_is_prolonged_three_times_while_it_lasts() -> None:
    time, lease = Time(7), Lease()

    async with kept(lease.prolong, LASTS, time.sleep):
        await time.stands_still.wait()

    assert time.pauses == [3.0] * 7
    assert lease.prolonged == 7
    assert not others()


async def test_the_work_ends_when_the_lease_is_lost() -> None:
    lease, current = Lease(None, Stale()), asyncio.current_task()

    with pytest.raises(Stale):
        async with kept(lease.prolong, LASTS, Time(9).sleep):
            await endless()

    assert lease.prolonged == 2
    assert current
    assert not current.cancelling()
    assert not others()


async def test_it_is_lost_when_it_could_not_be_prolonged_in_time() -> None:
    away = Unavailable()
    lease = Lease(away, away, None, away, away, away)

    with pytest.raises(Stale):
        async with kept(lease.prolong, LASTS, Time(9).sleep):
            await endless()

    assert lease.prolonged == 6


async def test_whoever_gave_it_back_has_not_lost_it() -> None:
    under_way, given_back = asyncio.Event(), asyncio.Event()

    async def prolong() -> None:
        under_way.set()
        await given_back.wait()
        raise Stale

    async with kept(prolong, LASTS, Time(1).sleep):
        await under_way.wait()
        asyncio.get_running_loop().call_soon(given_back.set)

    assert not others()


async def test_work_that_is_cancelled_stays_so() -> None:
    lease, begun = Lease(), asyncio.Event()

    async def work() -> None:
        async with kept(lease.prolong, LASTS, Time(0).sleep):
            begun.set()
            await endless()

    working = asyncio.create_task(work())
    await begun.wait()
    working.cancel()

    with pytest.raises(asyncio.CancelledError):
        await working
    assert not others()


async def test_an_error_of_the_work_passes() -> None:
    with pytest.raises(ZeroDivisionError):
        async with kept(Lease().prolong, LASTS, Time(0).sleep):
            raise ZeroDivisionError
    assert not others()
