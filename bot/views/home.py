"""The app's Home: the board of all clients for engineers, an explanation for others."""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import groupby

from bot.core.english import count
from bot.core.mrkdwn import channel_link, escape, excerpt, mention, permalink, when
from bot.guide import Guide
from bot.onboarding import Onboarding, Overview, Status, Unread
from bot.onboarding.targets import Risk
from bot.views import ids
from bot.views.announcement import LOSS_TEXTS
from bot.views.blocks import Block, Element, actions, button, context, header, section
from bot.views.forms import View, engineer_entry, form, notice
from bot.views.status import STATES, engineer_of, risk_text, turn_of, unread

# Slack accepts 100 blocks: two per client, one per group, and what is around them.
MOST_SHOWN, MOST_UNREAD = 40, 5
MOST_QUESTIONS, QUOTED = 2, 120
# What an engineer can choose to see.
EVERYONE, MINE, FINISHED = "", "mine", "finished"
FILTERS = {EVERYONE: "Everyone's", MINE: "Mine", FINISHED: "Finished"}
AS_OF = "as_of"  # this block changes even if nothing else has


@dataclass(frozen=True, slots=True)
class Board:
    """What an engineer sees: some of `count` clients, `stalled` of which are stuck."""

    viewer: str
    lines: Sequence[Overview | Unread]
    count: int
    stalled: Collection[str]
    now: datetime
    workspace_url: str
    questions: Mapping[str, Sequence[str]] = field(default_factory=dict)  # open ones, by onboarding
    shows: str = EVERYONE
    risks: Mapping[str, Risk] = field(default_factory=dict)  # missed targets, by onboarding

    @property
    def readable(self) -> Sequence[Overview]:
        return [line for line in self.lines if isinstance(line, Overview)]


def board_view(board: Board) -> View:
    """Return the board: who is waiting for us, who has gone quiet, then the rest by phase."""
    return {"type": "home", "blocks": list(_board(board))}


def outsiders_view(guide: Guide) -> View:
    """Return what everybody else sees: what this is, and who to ask."""
    return {
        "type": "home",
        "blocks": [
            header("HeavySet Tech's onboarding assistant"),
            section(
                f"I guide HeavySet Tech's clients through the {len(guide.steps)} steps of "
                f"“{escape(guide.title)}”, in a thread in our shared channel."
            ),
            section(
                "*Are you a client?* Your steps are in that thread. The first message shows "
                "what's next and who your engineer is. *I need help* reaches them."
            ),
            section(
                "*Do you work at HeavySet Tech?* The client board is for onboarding engineers. "
                "If that's you, ask whoever runs this bot to add you to `ENGINEERS`. Otherwise, "
                "ask the engineer named in the thread."
            ),
            context(escape(guide.support)),
        ],
    }


def assign_modal(onboarding: Onboarding, ref: ids.FormRef) -> View:
    """Return the form that puts an engineer in charge, by default the person who asks."""
    blocks: list[Block] = [
        section(
            f"*{escape(onboarding.client_name)}* is assigned to {mention(onboarding.engineer)}."
        ),
        engineer_entry(
            ref.user_id, "They'll be named in the thread and pinged when the client needs help."
        ),
    ]
    return form("Assign", ids.ASSIGN_ENGINEER, ref, blocks, submit="Assign")


def answer_view(text: str) -> View:
    """Return the reply to a press on the Home, which has no channel to reply in."""
    return notice("Onboardings", [section(text)])


def digest_of(view: View) -> str:
    """Return a digest of a Home: equal digests need no publishing."""
    blocks = [one for one in view["blocks"] if one.get("block_id") != AS_OF]
    return hashlib.sha256(json.dumps(blocks, sort_keys=True).encode()).hexdigest()


def _board(board: Board) -> Iterator[Block]:
    yield header("Onboardings")
    yield context(f"{_summary(board)} · updated {when(board.now)}") | {"block_id": AS_OF}
    yield actions([button("Refresh", ids.HOME_REFRESH, "refresh"), *_filters(board)])
    if not board.lines and board.shows:
        yield section(f"Nothing here under *{FILTERS[board.shows]}*.")
        return
    if not board.lines:
        yield section(
            "Nothing in progress. Start one in a client's channel: `/servicetitan start Acme "
            "Plumbing`. Or from anywhere, with a new channel: `/servicetitan start Acme Plumbing "
            "invite ann@acme.com`"
        )
        return
    unreadable = [line for line in board.lines if isinstance(line, Unread)][:MOST_UNREAD]
    yield from (section(unread(line)) for line in unreadable)
    placed = sorted(board.readable, key=partial(_place, board))[:MOST_SHOWN]
    for (_, title), group in groupby(placed, key=partial(_group, board)):
        yield section(f"*{title}*")
        for line in group:
            yield section(_line(line, board))
            yield actions(_buttons(line, board))
    if (more := board.count - len(placed) - len(unreadable)) > 0:
        yield context(f"and {more} more: `/servicetitan status`")


def _filters(board: Board) -> Iterator[Element]:
    for name, text in FILTERS.items():
        style = "primary" if name == board.shows else None
        action_id = f"{ids.HOME_FILTER}:{name or 'everyone'}"
        yield button(text, action_id, name or "everyone", style=style)


# --- the groups, with their headings ---


Group = tuple[int, str]
WAITING, QUIET = (-2, "🙋 Waiting on us"), (-1, "🐌 Client has gone quiet")
AT_RISK = (0, "⏳ At risk")
FAILING = (-3, "❌ Live, needs a fix")
PAUSED, ENDED = (1000, "⏸️ Paused"), (1001, "🏁 Finished")


def _place(board: Board, line: Overview) -> tuple[Group, bool, datetime, str]:
    """Return what clients are sorted by: in a group, the viewer's own come first."""
    return _group(board, line), line.engineer != board.viewer, line.active_at, line.id


def _group(board: Board, line: Overview) -> Group:
    if line.is_failing and board.shows != FINISHED:
        return FAILING
    if line.status in (Status.COMPLETED, Status.CANCELLED):
        return ENDED
    if line.waits_for_us:
        return WAITING
    if line.id in board.stalled:
        return QUIET
    if line.id in board.risks:
        return AT_RISK
    if line.status is Status.PAUSED or line.current_step is None:
        return PAUSED
    phase = line.guide.phase_of(line.current_step)
    return phase.number, f"Phase {phase.number}: {escape(phase.title)}"


# --- one client ---


def _line(line: Overview, board: Board) -> str:
    mine = "⭐ " if line.engineer == board.viewer else ""
    done = f"{line.finished_steps} of {len(line.guide.steps)}"
    first = f"{mine}*{escape(line.client_name)}* · {done} · {channel_link(line.channel)}"
    lines = [first, _state(line), *_troubles(line, board)]
    return "\n".join(filter(None, lines))


def _state(line: Overview) -> str:
    if line.status is Status.PAUSED:
        return f"paused · {engineer_of(line)}"
    if line.status is not Status.ACTIVE:
        return f"{STATES[line.status]} · {engineer_of(line)}"
    return f"{turn_of(line)} since {when(line.turn_at)} · {engineer_of(line)}"


def _troubles(line: Overview, board: Board) -> Iterable[str]:
    """Yield the problems that keep a client from moving on."""
    if line.loss:
        yield f"🔌 Paused: {LOSS_TEXTS[line.loss]}."
    if line.exposed_values:
        yield f"⚠️ {count(line.exposed_values, 'credential')} posted in the channel"
    if line.open_questions:
        yield f"🙋 {count(line.open_questions, 'open question')}"
        for text in board.questions.get(line.id, ())[:MOST_QUESTIONS]:
            yield f"> {excerpt(text, QUOTED)}"
    if line.verification == "failed" and line.status is Status.COMPLETED:
        at = f" {when(line.checked_at)}" if line.checked_at else ""
        yield f"❌ Connection check failed{at}"
    if line.verification == "failed" and line.status is Status.ACTIVE:
        wanted = len(line.guide.credentials)
        entered = wanted - line.missing_values
        yield f"❌ Credential check failed ({entered} of {wanted} entered)"
    if risk := board.risks.get(line.id):
        yield risk_text(risk)
    if line.id in board.stalled:
        yield f"🐌 No activity since {when(line.active_at)}"


def _buttons(line: Overview, board: Board) -> Iterator[Element]:
    name = line.client_name
    if line.thread_ts:
        address = permalink(board.workspace_url, line.channel, line.thread_ts)
        label = f"Open the thread of {name}"
        yield button("Open thread", ids.HOME_OPEN, line.id, url=address, label=label)
    if line.status is Status.ACTIVE:
        yield button("Remind", ids.HOME_REMIND, line.id, label=f"Remind {name}")
    yield button("Assign", ids.HOME_ASSIGN, line.id, label=f"Assign {name}")


def _summary(board: Board) -> str:
    parts = [count(board.count, "onboarding")]
    if board.stalled:
        parts.append(f"{len(board.stalled)} stalled")
    if board.risks:
        parts.append(f"{len(board.risks)} at risk")
    if own := sum(line.engineer == board.viewer for line in board.readable):
        parts.append(f"{own} yours ⭐")
    return " · ".join(parts)
