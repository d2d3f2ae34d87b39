"""The reply to `assign` for several clients."""

from collections.abc import Iterator, Sequence

from slack_sdk.models.blocks import Block

from bot.core.english import count
from bot.views.blocks import context, listing
from bot.views.ephemeral import EphemeralReply, answer_of

MOST_NAMED = 50


def reassigned_answer(
    whom: str, changed: Sequence[str], refused: Sequence[str], left: int
) -> EphemeralReply:
    """Return which clients are reassigned, which aren't and why, and how many follow.

    Who gets them, names and reasons are mrkdwn.
    """
    blocks: list[Block] = []
    if changed:
        title = f"Reassigned {count(len(changed), 'client')} to {whom}:"
        blocks += _listed(title, changed)
    if refused:
        blocks += _listed("Not changed:", refused)
    if left:
        blocks.append(context(f"{left} more to go; they follow in a moment."))
    return answer_of(blocks)


def _listed(title: str, lines: Sequence[str]) -> Iterator[Block]:
    yield from listing(title, lines[:MOST_NAMED])
    if (more := len(lines) - MOST_NAMED) > 0:
        yield context(f"and {more} more")
