"""The window with an onboarding's history: durations, then the timeline in pages."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from statistics import median

from bot.core.mrkdwn import channel_link, escape, mention, when
from bot.core.typed_text import one_line
from bot.guide import Owner, Phase
from bot.onboarding import BOT, Event, EventKind, Onboarding, Status
from bot.onboarding.history import SIDES, History, lasting
from bot.onboarding.history.sentences import Part, sign
from bot.onboarding.people import ChannelRef, UserRef
from bot.onboarding.verification_report import Outcome
from bot.views import ids
from bot.views.blocks import Block, actions, button, context, header, section
from bot.views.forms import View, notice
from bot.views.status import where

PAGE = 20
BAR = 10
QUOTED = 300  # characters; the export has the whole text
SQUARES: Mapping[Owner | None, str] = {Owner.CLIENT: "🟦", Owner.HEAVYSET: "🟧", None: "⬜"}


def history_modal(
    onboarding: Onboarding,
    history: History,
    ref: ids.FormRef,
    *,
    workspace_url: str,
    until: int | None = None,
) -> View:
    """Return the window with the page that ends with entry `until`, by default the newest.

    Entries are counted from the oldest, so new ones don't shift the others to another page.
    """
    blocks = [
        header(one_line(onboarding.client_name)),
        *_summary(onboarding, history, workspace_url),
        {"type": "divider"},
        *_timeline(history, until),
    ]
    return notice("History", blocks, ref)


def _summary(onboarding: Onboarding, history: History, workspace_url: str) -> Iterator[Block]:
    links = where(onboarding.channel, onboarding.thread_ts, workspace_url)
    done = f"{onboarding.finished_steps} of {len(onboarding.steps)} steps done"
    took = lasting(history.took)
    lasted = f"took {took}" if history.over else f"{took} so far"
    yield section(
        f"*{onboarding.status.value.capitalize()}* · {done} · {lasted}\n"
        f"since {when(history.started_at)} · engineer {mention(onboarding.engineer)} · {links}"
    )
    longest = max(sum(times.values(), timedelta()) for times in history.phases.values())
    phases = (
        _phase(phase, history.phases[phase.number], longest) for phase in onboarding.guide.phases
    )
    yield section("\n".join(["*Time per phase*", *phases]))
    sides = history.sides.items()
    times = (f"{SQUARES[side]} {SIDES[side]} {lasting(time)}" for side, time in sides)
    yield section(f"*Waiting on*\n{' · '.join(times)}")
    yield section("\n".join(_counts(onboarding, history)))


def _phase(phase: Phase, times: Mapping[Owner | None, timedelta], longest: timedelta) -> str:
    name = f"{phase.number}. {escape(phase.title)}"
    took = sum(times.values(), timedelta())
    if not took:
        return f"{name}: —"
    squares = "".join(SQUARES[side] * round(BAR * time / longest) for side, time in times.items())
    parts = [f"{SIDES[side]} {lasting(time)}" for side, time in times.items() if time]
    shares = f" ({', '.join(parts)})" if len(parts) > 1 else ""
    return f"{name}: {lasting(took)}{shares}\n{squares or SQUARES[Owner.CLIENT]}"


def _counts(onboarding: Onboarding, history: History) -> Iterator[str]:
    """Yield a line for each thing that support asks about, if there is any."""
    asked = onboarding.questions
    waits = [one.waited.total_seconds() for one in asked if one.waited is not None]
    open_ = len(onboarding.open_questions)
    by_guide = sum(one.passage is not None for one in asked)
    answers = []
    if waits:
        answers = [f"{len(waits)} answered, median {lasting(timedelta(seconds=median(waits)))}"]
    answers += [f"{by_guide} answered from the guide"] if by_guide else []
    answers += [f"{open_} still open"] if open_ else []
    yield f"🙋 Questions: {', '.join(answers) or 'none'}"
    ended = [run.outcome for run in onboarding.verifications]
    outcomes = [f"{ended.count(one)} {one.value}" for one in Outcome if one in ended]
    outcomes += [f"{ended.count(None)} {_unfinished(onboarding)}"] if None in ended else []
    yield f"📋 Checks: {', '.join(outcomes) or 'none'}"
    for name, kind in (
        ("Credential views", EventKind.CREDENTIALS_REVEALED),
        ("Credentials posted in the channel", EventKind.EXPOSED),
        ("Reminders", EventKind.REMINDED),
        ("Blocked attempts", EventKind.REFUSED),
    ):
        if events := [event for event in history.events if event.kind is kind]:
            who = ", ".join(dict.fromkeys(map(_subject, events[-BAR:])))
            yield f"{sign(kind)} {name}: {len(events)} ({who})"


def _unfinished(onboarding: Onboarding) -> str:
    """Return what happens to a check that has no result yet."""
    if onboarding.status is Status.PAUSED:
        return "on hold"
    return "stopped" if onboarding.destroyed_at else "still running"


def _timeline(history: History, until: int | None) -> Iterator[Block]:
    count = len(history.events)
    end = min(max(until or count, 1), count)
    start = max(end - PAGE, 0)
    for event in reversed(history.events[start:end]):
        words = "".join(map(_part, history.words(event)))
        yield section(f"{sign(event.kind)} {when(event.at)}\n{_subject(event)} {words}")
    yield context(f"{count - end + 1}–{count - start} of {count}, newest first")
    turns = []
    if end < count:
        newer = min(end + PAGE, count)
        turns.append(button("Newer", f"{ids.HISTORY_PAGE}:newer", str(newer)))
    if start > 0:
        turns.append(button("Older", f"{ids.HISTORY_PAGE}:older", str(start)))
    if turns:
        yield actions(turns)


def _subject(event: Event) -> str:
    if event.actor == BOT:
        return "The bot"
    return mention(event.actor.user_id) if event.actor.user_id else "Someone"


def _part(part: Part) -> str:
    match part:
        case UserRef():
            return mention(part.user_id)
        case ChannelRef():
            return channel_link(part.channel)
        case datetime():
            return when(part)
    return escape(part if len(part) <= QUOTED else f"{part[:QUOTED]} …")
