"""The weekly digest in the engineering channel."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from bot.core.english import count
from bot.core.mrkdwn import escape, link, mention, permalink, when
from bot.onboarding.history import lasting
from bot.onboarding.overview import Overview
from bot.onboarding.reporting import Report
from bot.views.blocks import Block, Message, context, header, listing, message, section

MOST_NAMED = 10


def digest_slot(day: date) -> str:
    return f"digest:{day.isoformat()}"


def digest_message(
    day: date,
    week: Report,
    waiting: Sequence[Overview],
    quiet: Sequence[Overview],
    late: Sequence[Overview],
    workspace_url: str,
) -> Message | None:
    """Return the digest of a week; None if there is nothing to report.

    `late` are those that miss a target of the guide and aren't in any other group.
    """
    if not (week.cases or waiting or quiet or late):
        return None
    groups = {
        "🙋 Waiting on us": waiting,
        "🐌 Client has gone quiet": quiet,
        "⏳ At risk": late,
    }
    blocks = _blocks(week, groups, workspace_url)
    return message("", digest_slot(day), [header("This week's onboardings"), *blocks])


def _blocks(
    week: Report, groups: Mapping[str, Sequence[Overview]], workspace_url: str
) -> Iterator[Block]:
    live = f"{week.finished} went live"
    if week.to_live:
        live += f" (median {lasting(week.to_live.median)})"
    parts = [f"{week.started} started", live]
    if week.given_up:
        parts.append(f"{week.given_up} canceled")
    yield section(f"*Last 7 days:* {' · '.join(parts)}\n*In progress:* {len(week.running)}")
    for title, lines in groups.items():
        if lines:
            named = [_line(line, workspace_url) for line in lines[:MOST_NAMED]]
            if more := len(lines) - len(named):
                named.append(f"and {more} more")
            yield from listing(f"*{title}*", named)
    if (slowest := week.slowest) and slowest.took:
        took = lasting(slowest.took.median)
        yield section(
            f"*Slowest step:* {slowest.number}. {escape(slowest.title)}, median {took} "
            f"({count(slowest.took.count, 'client')})"
        )
    yield context("More: `/servicetitan report` · `/servicetitan status`")


def _line(line: Overview, workspace_url: str) -> str:
    name = f"*{escape(line.client_name)}*"
    if line.thread_ts:
        name = link(permalink(workspace_url, line.channel, line.thread_ts), line.client_name)
    questions = f"{count(line.open_questions, 'open question')}, " if line.open_questions else ""
    step = f"step {line.current_step}, " if line.current_step else ""
    return f"{name}: {questions}{step}since {when(line.active_at)} · {mention(line.engineer)}"
