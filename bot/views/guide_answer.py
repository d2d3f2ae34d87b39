"""The guide's answer to a question that somebody typed in the thread."""

from bot.core.mrkdwn import escape, excerpt, mention
from bot.guide.answers import passage
from bot.onboarding import Onboarding, Question
from bot.views import ids
from bot.views.blocks import Message, actions, button, message, paragraphs, section

QUOTED = 200


def slot(number: int) -> str:
    return f"answer:{number}"


def answer_message(onboarding: Onboarding, question: Question) -> Message:
    """Return what the guide says about a question, with its step."""
    asked = excerpt(question.text, QUOTED)
    blocks = [section(f"> {asked}\n{mention(question.by.user_id)}, here's what the guide says:")]
    found = passage(onboarding.guide, question.passage or "")
    if found is None:  # the guide's text has changed since
        blocks.append(section(f"See step {question.step}."))
    else:
        where = f"From step {found.step}, " if found.step else ""
        blocks.append(section(f"*{where}{escape(found.title)}*"))
        blocks += [section(escape(piece)) for piece in paragraphs(found.text)]
    ref = ids.StepRef(onboarding.id, question.step)
    blocks.append(actions([button("Ask HeavySet instead", ids.STEP_HELP, ref)]))
    return message(onboarding.id, slot(question.number), blocks)
