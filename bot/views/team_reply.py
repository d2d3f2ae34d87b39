"""A message that an engineer wrote elsewhere, posted in the thread in their name."""

import re

from bot.core.mrkdwn import escape, mention
from bot.onboarding import Onboarding
from bot.onboarding.model import TeamReply
from bot.views.blocks import Message, message, paragraphs, section

_PERSON = re.compile(r"&lt;(@[UW][A-Z0-9]+)&gt;")


def slot(number: int) -> str:
    return f"reply:{number}"


def team_reply_message(onboarding: Onboarding, reply: TeamReply) -> Message:
    """Return the reply, addressed to the person who asked."""
    to = f"{mention(reply.to.user_id)}, " if reply.to else ""
    blocks = [section(f"💬 {to}{mention(reply.by.user_id)} of HeavySet Tech writes:")]
    pieces = map(escape, paragraphs(reply.text))
    blocks += [section(_PERSON.sub(r"<\1>", piece)) for piece in pieces]
    return message(onboarding.id, slot(reply.number), blocks)
