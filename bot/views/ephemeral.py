"""A message that only one person sees, such as the reply to a command."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.views.blocks import Block, fallback, section


@dataclass(frozen=True, slots=True)
class EphemeralReply:
    """A private reply, such as the one in the acknowledgement of a slash command."""

    blocks: Sequence[Block]

    @property
    def text(self) -> str:
        return fallback(self.blocks)


def plain_answer(text: str) -> EphemeralReply:
    return EphemeralReply([section(text)])
