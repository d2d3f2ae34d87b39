"""By when somebody must be answered: Slack waits three seconds for an acknowledgement.

Whoever answers a request sets it once; every call to Slack on the way there keeps to it.
"""

import asyncio
from collections.abc import Awaitable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar

Result = TypeVar("Result")

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def answering_within(seconds: float) -> Iterator[None]:
    """Give what is awaited in the block `seconds` in all."""
    token = _deadline.set(asyncio.get_running_loop().time() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def seconds_left(otherwise: float) -> float:
    """Return how much time there is, `otherwise` if nobody is waiting for an answer."""
    at = _deadline.get()
    return otherwise if at is None else max(0.0, at - asyncio.get_running_loop().time())


async def before_deadline(work: Awaitable[Result]) -> Result:
    """Await `work` until the deadline; raises TimeoutError then, and cancels it."""
    async with asyncio.timeout_at(_deadline.get()):
        return await work


def detached_task(work: Coroutine[Any, Any, Result], name: str) -> asyncio.Task[Result]:
    """Begin a task that outlives the answer, so no deadline of a request is its own."""
    context = copy_context()
    context.run(_deadline.set, None)
    return asyncio.create_task(work, name=name, context=context)
