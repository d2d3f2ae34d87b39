"""A message that only one person sees, such as the reply to a command."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import Block

from bot.views.blocks import fallback, section


@dataclass(frozen=True, slots=True)
class EphemeralReply:
    """A private reply, such as the one in the acknowledgement of a slash command."""

    text: str
    blocks: Sequence[dict[str, Any]]


def plain_answer(text: str) -> EphemeralReply:
    return answer_of([section(text)])


def answer_of(blocks: Sequence[Block]) -> EphemeralReply:
    rendered = [block.to_dict() for block in blocks]
    return EphemeralReply(fallback(rendered), rendered)
