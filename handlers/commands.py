"""`/servicetitan …`: the private reply is in the acknowledgement itself."""

import asyncio
import difflib
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from slack_bolt.async_app import AsyncAck

from bot.core.errors import Malformed, Repeated
from bot.onboarding.reporting.period import Period
from bot.use_cases import Opening, Request, UseCases
from bot.use_cases.invitees import name_and_invitees
from bot.use_cases.slash_command import HELP, split, unwrapped, without_guide
from bot.views import ids
from bot.views.blocks import EphemeralReply, fallback, section
from bot.views.forms import View
from bot.views.reporting import PAGES
from bot.views.status_query import StatusQuery
from handlers.error_replies import explain
from handlers.forms import Submission
from handlers.listeners import Listeners
from handlers.payloads import Command, Press, WindowPress
from handlers.replies import Replies

# Slack shows `operation_timeout` after three seconds; we apologize sooner.
COMMAND_SECONDS = 1.8
# Takes the request and the text after the command; returns a form to open or a reply.
Subcommand = Callable[[Request, str], Awaitable[Opening | View | EphemeralReply]]


def register(on: Listeners, use_cases: UseCases) -> None:
    """Register the command, and what its replies and windows lead to."""
    commands = _commands(use_cases)

    @on.app.command("/servicetitan")
    async def servicetitan(ack: AsyncAck, body: dict[str, Any]) -> None:
        command = Command.of(body)
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                answer = await _answer(use_cases, commands, on.replies, command)
        except Malformed:
            raise
        except Repeated:
            answer = None
        except TimeoutError:
            answer = [section("Slack is slow right now. Please try again.")]
        except Exception as error:
            answer = [section(explain(error))]
        if answer is None:
            await ack()
        else:
            await ack(text=fallback(answer), blocks=answer, response_type="ephemeral")

    @on.press(Press, f"{ids.STATUS_PAGE}:")
    async def status_page(press: Press) -> EphemeralReply:
        return await use_cases.status.page(press.request, StatusQuery.parse(press.action.value))

    _register_windows(on, use_cases)


def _register_windows(on: Listeners, use_cases: UseCases) -> None:
    @on.press(WindowPress, f"{ids.HISTORY_PAGE}:")
    async def history_page(press: WindowPress) -> View:
        until = press.action.value
        if not (until.isascii() and until.isdecimal() and len(until) < 10):
            raise Malformed("a page that we did not number")
        return await use_cases.history.page(press.request, press.view.ref, int(until))

    @on.press(WindowPress, f"{ids.REPORT_PAGE}:")
    async def report_page(press: WindowPress) -> View:
        period = Period.parse(press.action.value)
        if period is None or press.argument not in PAGES:
            raise Malformed("a page of no report")
        return await use_cases.reporting.page(press.request, press.view.ref, period, press.argument)

    @on.form(ids.CANCEL_ONBOARDING)
    async def cancel_onboarding(form: Submission) -> None:
        reason = form.text(ids.REASON)
        await use_cases.commands.cancel(form.saying(reason), form.ref, reason)


def _commands(use_cases: UseCases) -> dict[str, Subcommand]:
    async def start(request: Request, words: str) -> Opening | View:
        words, guide_id = without_guide(words)
        if asked := name_and_invitees(words):
            return await use_cases.invitations.form(request, *asked, guide_id)
        return await use_cases.start.form(request, unwrapped(words), guide_id)

    status, changes = use_cases.status, use_cases.commands
    return {
        "start": start,
        "status": status.status,
        "history": use_cases.history.of_client,
        "report": use_cases.reporting.form,
        "credentials": status.credentials,
        "verify": changes.verify,
        "check": use_cases.after_go_live.check_all,
        "remind": changes.remind,
        "assign": use_cases.assignments.assign,
        "away": use_cases.absences.away,
        "back": use_cases.absences.back,
        "skip": changes.skip,
        "done": changes.done,
        "reopen": changes.reopen,
        "note": use_cases.notes.note,
        "pause": changes.pause,
        "resume": changes.resume,
        "cancel": changes.cancel_form,
        HELP: status.help,
    }


async def _answer(
    use_cases: UseCases, commands: dict[str, Subcommand], replies: Replies, command: Command
) -> EphemeralReply | None:
    """Return the reply to a command; None if it opened a form instead."""
    word, rest = split(command.text, commands)
    if word not in commands:
        return await use_cases.status.help(command.request, problem=_unknown(word, commands))
    done = await commands[word](command.request, rest)
    if isinstance(done, list):
        return done
    await replies.open_now(command.trigger_id, done if isinstance(done, Opening) else Opening(done))
    return None


def _unknown(word: str, commands: Iterable[str]) -> str:
    nearest = difflib.get_close_matches(re.sub(r"\W", "", word), commands, n=1)
    hint = f" Did you mean `/servicetitan {nearest[0]}`?" if nearest else ""
    return f"I don't know that command.{hint}"
