"""`/servicetitan …`: every answer is private and stands in the acknowledgement itself."""

import asyncio
import difflib
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.errors import Malformed, Repeated
from bot.use_cases import UseCases
from bot.views.status import Answer, plain_answer
from handlers.answers import Answers, explain
from handlers.payloads import Command

COMMANDS = ("start", "status", "resume", "help")
# Slack shows `operation_timeout` after three seconds; our own words come sooner.
PATIENCE_SECONDS = 2.5


def register(app: AsyncApp, use_cases: UseCases, answers: Answers) -> None:
    """Register the command."""

    @app.command("/servicetitan")
    async def servicetitan(ack: AsyncAck, body: dict[str, Any]) -> None:
        command = Command.of(body)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                answer = await _answer(use_cases, answers, command)
        except Malformed:
            raise
        except Repeated:
            answer = None
        except TimeoutError:
            answer = plain_answer("Slack takes long to answer just now. Please try again.")
        except Exception as error:
            answer = plain_answer(explain(error))
        if answer is None:
            await ack()
        else:
            blocks = list(answer.blocks)
            await ack(text=answer.text, blocks=blocks, response_type="ephemeral")


async def _answer(use_cases: UseCases, answers: Answers, command: Command) -> Answer | None:
    """Return the answer to a command, None where a form is the answer."""
    word, rest = command.words
    if word == "start":
        form = await use_cases.starting.form(command.request, rest)
        await answers.open_now(command.trigger_id, form)
        return None
    if word == "status":
        return await use_cases.overview.status(command.request)
    if word == "resume":
        return await use_cases.overview.resume(command.request)
    if word in ("", "help"):
        return await use_cases.overview.help(command.request)
    return await use_cases.overview.help(command.request, _unknown(word))


def _unknown(word: str) -> str:
    nearest = difflib.get_close_matches(word, COMMANDS, n=1)
    hint = f" Did you mean `/servicetitan {nearest[0]}`?" if nearest else ""
    return f"I do not know that command.{hint}"
