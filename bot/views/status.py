"""The answers to the slash command: status and help."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slack_sdk.models.blocks import Block

from bot.guide import Guide, Owner
from bot.mrkdwn import ago, channel_link, escape, link, mention, permalink
from bot.onboarding import Overview, Status
from bot.views.blocks import context, fallback, header, section

HELP = (
    ("/servicetitan start [client]", "begin an onboarding in this channel"),
    ("/servicetitan status", "this channel's client; elsewhere, all active clients"),
    ("/servicetitan resume", "take up this channel's onboarding after a pause"),
    ("/servicetitan help", "this list"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A private answer to a slash command, as the acknowledgement bears it."""

    text: str
    blocks: Sequence[dict[str, Any]]


def status_answer(
    lines: Sequence[Overview], guide: Guide, *, now: datetime, workspace_url: str, here: bool
) -> Answer:
    """Return the state of one client (`here`: of this channel) or of all active ones."""
    return _answer(list(_status(lines, guide, now, workspace_url, here)))


def help_answer(problem: str | None = None) -> Answer:
    """Return the list of commands, after `problem` if there was one."""
    blocks: list[Block] = [section(problem)] if problem else []
    commands = "\n".join(f"•  `{command}` — {what}" for command, what in HELP)
    return _answer([*blocks, section(f"*What I can do*\n{commands}")])


def plain_answer(text: str) -> Answer:
    """Return a single sentence."""
    return _answer([section(text)])


def _answer(blocks: Sequence[Block]) -> Answer:
    rendered = [block.to_dict() for block in blocks]
    return Answer(fallback(rendered), rendered)


def _status(
    lines: Sequence[Overview], guide: Guide, now: datetime, workspace_url: str, here: bool
) -> Iterator[Block]:
    if not lines:
        yield section(
            "No onboarding is active. Start one in the channel that you share with the client: "
            "`/servicetitan start Acme Plumbing`"
        )
        return
    if not here:
        count = len(lines)
        yield header(f"{count} active onboarding{'' if count == 1 else 's'}")
    for line in lines:
        yield section(_line(line, guide, now, workspace_url))
    if not here:
        yield context("The longest without activity first.")


def _line(line: Overview, guide: Guide, now: datetime, workspace_url: str) -> str:
    where = channel_link(line.channel)
    if line.thread_ts:
        address = permalink(workspace_url, line.channel, line.thread_ts)
        where = f"{where} · {link(address, 'thread')}"
    done = f"{line.finished_steps} of {len(guide.steps)} steps done"
    if line.status is Status.ACTIVE and line.current_step:
        at = f"step {line.current_step}, {escape(_title(guide, line.current_step))}"
        state = f"{at} · {_turn(line)}"
    else:
        state = line.status.value
    return (
        f"*{escape(line.client_name)}* · {done} · {state}\n"
        f"last activity {ago(line.active_at, now)} ago · {where}"
    )


def _title(guide: Guide, number: int) -> str:
    try:
        return guide.step(number).title
    except KeyError:  # an older guide with more steps
        return "a step of an older guide"


def _turn(line: Overview) -> str:
    if line.turn is Owner.HEAVYSET:
        return f"HeavySet's turn ({mention(line.engineer)})"
    return f"the client's turn (engineer {mention(line.engineer)})"
