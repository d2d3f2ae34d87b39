"""The reply to `assign` for several clients."""

from collections.abc import Iterator, Sequence

from slack_sdk.models.blocks import Block

from bot.core.english import count
from bot.views.blocks import bullets_of, context, section
from bot.views.ephemeral import EphemeralReply, answer_of

IN_A_SECTION, MOST_NAMED = 5, 50


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
    """Yield the lines in groups that fit a section, which holds 3,000 characters."""
    yield section(f"{title}\n{bullets_of(lines[:IN_A_SECTION])}")
    for start in range(IN_A_SECTION, min(len(lines), MOST_NAMED), IN_A_SECTION):
        yield section(bullets_of(lines[start : start + IN_A_SECTION]))
    if (more := len(lines) - MOST_NAMED) > 0:
        yield context(f"and {more} more")
