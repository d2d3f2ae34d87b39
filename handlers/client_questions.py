"""*I need help*: help from the guide first, then a question to the engineer."""

from bot.slack import Recipient
from bot.use_cases import UseCases
from bot.views import ids
from bot.views.reply_texts import asked_text
from handlers.forms import Submission
from handlers.listeners import Listeners


def register(on: Listeners, use_cases: UseCases) -> None:
    questions = use_cases.client_questions

    @on.form(ids.ASK_FOR_HELP)
    async def ask_for_help(form: Submission) -> None:
        question = form.text(ids.QUESTION)
        asked = await questions.submit(form.saying(question), form.ref, question)
        to = Recipient(asked.channel, form.user.id, asked.thread_ts)
        on.replies.tell(to, asked_text(asked))
