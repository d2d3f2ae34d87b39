"""A message that only one person sees, such as the reply to a command."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.views.blocks import Block, fallback, section


@dataclass(frozen=True, slots=True)
class EphemeralReply:
    """A private reply, such as the one in the acknowledgement of a slash command."""

    text: str
    blocks: Sequence[Block]


def plain_answer(text: str) -> EphemeralReply:
    return answer_of([section(text)])


def answer_of(blocks: Sequence[Block]) -> EphemeralReply:
    return EphemeralReply(fallback(blocks), blocks)
