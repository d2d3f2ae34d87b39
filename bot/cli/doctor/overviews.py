"""Specimens of what shows many onboardings: lists, reports, and rounds of `check all`."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial

from bot.cli.doctor.stories import BEGAN, BY_ENGINEER, ENGINEER, TS, WORKSPACE
from bot.onboarding import Event, EventKind, Onboarding, Overview
from bot.onboarding.after_go_live import failing, is_live
from bot.onboarding.reporting import Case, report_on, summary_of
from bot.onboarding.reporting.period import Period
from bot.onboarding.targets import risk_of
from bot.views.blocks import EphemeralReply, Message
from bot.views.check_all import (
    ask_modal,
    asked_view,
    asking_view,
    progress_message,
    result_message,
)
from bot.views.digest import digest_message
from bot.views.forms import View
from bot.views.home import Board, board_view
from bot.views.reporting import PAGES, report_modal
from bot.views.status import status_answer
from bot.views.status_query import StatusQuery
from storage.status import PLAIN
from storage.to_rows import columns

Story = tuple[Onboarding, Sequence[Event]]  # how it ended, and what happened
Shown = tuple[str, Message | EphemeralReply | View]  # where it was first seen, and what


def overviews(stories: Sequence[Story]) -> Iterator[Shown]:
    """Yield status, an engineer's Home, the digest and the report, with their names."""
    lines, now = [_overview(at) for at, _ in stories], BEGAN + timedelta(days=3)
    status = partial(status_answer, now=now, workspace_url=WORKSPACE, notes={}, risks={})
    yield "status here", status(lines[:20], query=None)
    yield "status everywhere", status(lines[:20], query=StatusQuery())
    noted = Event(EventKind.NOTED, ENGINEER, now, None, {"note": "Out until Monday"})
    yield "status with a note", status(lines[:1], query=None, notes={lines[0].id: [noted]})
    yield "status of nobody", status([], query=None)
    for name, some in {"everybody": lines, "nobody": []}.items():
        risks = {line.id: risk for line in some if (risk := risk_of(line, now, "UTC"))}
        board = Board(ENGINEER.user_id, some, len(some), [], now, WORKSPACE, risks=risks)
        yield f"Home of engineers: {name}", board_view(board)
    cases = []
    for at, events in stories:
        summary = summary_of(at.guide, events).up_to(now)
        cases.append(Case(at.id, at.client_name, at.engineer, at.guide, at.status, summary))
    report = report_on(cases, None, now)
    waiting, quiet, late = lines[:12], lines[:2], lines[2:4]
    if digest := digest_message(now.date(), report, waiting, quiet, late, WORKSPACE):
        yield "digest", digest
    for page in PAGES:
        yield f"report: {page}", report_modal(report, Period(), BY_ENGINEER, page)
    yield "report: not yet", report_modal(None, Period(), BY_ENGINEER, next(iter(PAGES)))


def rounds(onboardings: Sequence[Onboarding]) -> Iterator[Shown]:
    """Yield what a round of `check all` shows, with names."""
    live = [one for one in onboardings if is_live(one)]
    broken = [(one, run) for one in live if (run := failing(one))]
    found = [*((one, one.last_verdict) for one in live), *((one, None) for one in live[:1])]
    yield "check all: progress", progress_message("r1", ENGINEER.user_id, 3, 40)
    if live:
        began = live[0].started_at
        result = result_message("r1", ENGINEER.user_id, began, found, WORKSPACE)
        yield "check all: result", result
    if broken:
        yield "ask them", ask_modal(BY_ENGINEER, broken * 30, [one for one, _ in broken])
    yield "ask them: at work", asking_view()
    yield "ask them: done", asked_view(["Asked 3 clients."])


def _overview(onboarding: Onboarding) -> Overview:
    constant = {"id": onboarding.id, "thread_ts": TS, "started_at": onboarding.started_at}
    row = {**columns(onboarding), **constant}
    return Overview(
        guide=onboarding.guide,
        client_name=onboarding.client_name,
        status=onboarding.status,
        turn=onboarding.turn,
        verification=row["verification"],
        loss=onboarding.loss,
        **{name: row[name] for name in PLAIN},
    )
