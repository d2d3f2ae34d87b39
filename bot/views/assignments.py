"""The reply to `assign` for several clients."""

from collections.abc import Sequence

from bot.core.english import count
from bot.views.blocks import EphemeralReply, context, listing

MOST_NAMED = 50


def reassigned_answer(
    whom: str, changed: Sequence[str], refused: Sequence[str], left: int
) -> EphemeralReply:
    """Return which clients are reassigned, which aren't and why, and how many follow.

    The new engineer, names and reasons are mrkdwn.
    """
    blocks: EphemeralReply = []
    if changed:
        title = f"Reassigned {count(len(changed), 'client')} to {whom}:"
        blocks += listing(title, changed, most=MOST_NAMED)
    if refused:
        blocks += listing("Not changed:", refused, most=MOST_NAMED)
    if left:
        blocks.append(context(f"{left} more to go; they follow in a moment."))
    return blocks
