"""A message that an engineer wrote elsewhere, posted in the thread in their name."""

import re
from collections.abc import Iterator

from bot.core.mrkdwn import escape, mention
from bot.onboarding import Onboarding
from bot.onboarding.model import TeamReply
from bot.views.blocks import Block, Message, message, paragraphs, section

_PERSON = re.compile(r"&lt;(@[UW][A-Z0-9]+)&gt;")


def slot(number: int) -> str:
    return f"reply:{number}"


def team_reply_message(onboarding: Onboarding, reply: TeamReply) -> Message:
    """Return the reply, addressed to the person who asked."""
    return message(onboarding.id, slot(reply.number), _reply(reply))


def _reply(reply: TeamReply) -> Iterator[Block]:
    to = f"{mention(reply.to.user_id)}, " if reply.to else ""
    yield section(f"💬 {to}{mention(reply.by.user_id)} of HeavySet Tech writes:")
    for piece in paragraphs(reply.text):
        yield section(_PERSON.sub(r"<\1>", escape(piece)))
