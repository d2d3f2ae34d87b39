"""*I need help*: help from the guide first, then a question to the engineer."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.use_cases import UseCases
from bot.views import ids
from bot.views.reply_texts import asked_text
from handlers.forms import Submission, at_the_form
from handlers.payloads import Press
from handlers.replies import Replies


def register(app: AsyncApp, use_cases: UseCases, replies: Replies) -> None:
    @app.action(ids.STEP_HELP)
    async def step_help(ack: AsyncAck, body: dict[str, Any]) -> None:
        async with replies.to(ack, Press.of(body)) as press:
            replies.open(press, await use_cases.client_questions.form(press.request, press.step))

    @app.view(ids.ASK_FOR_HELP)
    async def ask_for_help(ack: AsyncAck, body: dict[str, Any]) -> None:
        form = Submission.of(body)
        async with at_the_form(ack, form):
            question = form.text(ids.QUESTION)
            asked = await use_cases.client_questions.submit(
                form.saying(question), form.ref, question
            )
            replies.tell_in_thread(
                asked.channel,
                form.user.id,
                asked_text(asked),
                asked.thread_ts,
            )
