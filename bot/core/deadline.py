"""A deadline for the current request: Slack waits three seconds for an acknowledgement.

The request handler sets it once, and every call to Slack along the way respects it.
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
    """Set a deadline, `seconds` from now, for what is awaited in the block."""
    token = _deadline.set(asyncio.get_running_loop().time() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def seconds_left(otherwise: float) -> float:
    """Return the seconds until the deadline, or `otherwise` if there is none."""
    at = _deadline.get()
    return otherwise if at is None else max(0.0, at - asyncio.get_running_loop().time())


async def before_deadline(work: Awaitable[Result]) -> Result:
    """Await `work`; at the deadline, cancel it and raise TimeoutError."""
    async with asyncio.timeout_at(_deadline.get()):
        return await work


def detached_task(work: Coroutine[Any, Any, Result], name: str) -> asyncio.Task[Result]:
    """Start a task that outlives the request, so the request's deadline does not apply to it."""
    context = copy_context()
    context.run(_deadline.set, None)
    return asyncio.create_task(work, name=name, context=context)
