"""Transitions of verifications: requested, test booking sent, finished, writes confirmed."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from bot.core.errors import Refused
from bot.onboarding.events import Event, EventKind, given
from bot.onboarding.model import Status, StepState, Verification
from bot.onboarding.people import BOT, Actor, Role
from bot.onboarding.state import Onboarding
from bot.onboarding.throttling import CHECKS_ASKED_FOR, CHECKS_BY_CLIENT, in_minutes
from bot.onboarding.transitions import (
    Change,
    back_to,
    changed,
    end_step,
    labels,
    must_be_active,
    noted,
)
from bot.onboarding.verification_report import Outcome, Report

# Pauses between attempts while ServiceTitan is unavailable; after the last one we give up.
RETRY_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 30, *[60] * 24))


def request_verification(
    onboarding: Onboarding, actor: Actor, now: datetime, booking: str | None = None
) -> Change:
    """Have the stored credentials verified; `booking` is the externalId of a test booking."""
    must_be_checkable(onboarding)
    if booking and onboarding.guide.checks.by != "servicetitan":
        raise Refused("Test bookings are only available in ServiceTitan.")
    if booking and not (onboarding.current and onboarding.current.verifies):
        raise Refused("Test bookings are only available at the last step.")
    if onboarding.missing:
        missing = labels(onboarding, onboarding.missing)
        raise Refused(f"Can't check yet. Still missing: {missing}.")
    latest = onboarding.verification
    if latest and latest.report is None and not latest.recheck:
        raise Refused("A check is already running. The result will show up in the thread.")
    times = (run.requested_at for run in onboarding.verifications)
    if wait := CHECKS_ASKED_FOR.wait(times, now):
        raise Refused(
            f"{onboarding.guide.platform} was asked {CHECKS_ASKED_FOR.most} times in the last "
            f"hour. Please check again {in_minutes(wait)}."
        )
    if actor.role is Role.CLIENT_ADMIN:
        _must_not_be_too_often(onboarding, now)
    return start_verification(onboarding, actor, now, booking=booking)


def must_be_checkable(onboarding: Onboarding) -> None:
    """Raise Refused unless credentials can be checked: also after the end, while they are kept."""
    if not onboarding.guide.is_checked:
        raise Refused(f"There's no check for {onboarding.guide.platform}. Please try it by hand.")
    if onboarding.status is not Status.COMPLETED:
        must_be_active(onboarding)
    elif onboarding.destroyed_at:
        raise Refused(
            "These credentials were deleted {at}, after the onboarding ended.",
            at=onboarding.destroyed_at,
        )


def _must_not_be_too_often(onboarding: Onboarding, now: datetime) -> None:
    """Raise Refused if the client's people had their credentials checked a moment ago."""
    entered = {one.at for one in onboarding.credentials.values()}  # entering them starts a run
    times = [
        run.requested_at
        for run in onboarding.verifications
        if run.requested_by.role is Role.CLIENT_ADMIN and run.requested_at not in entered
    ]
    waits = [wait for rate in CHECKS_BY_CLIENT if (wait := rate.wait(times, now))]
    if waits:
        raise Refused(f"We just checked. Please try again {in_minutes(max(waits))}.")


def start_verification(
    onboarding: Onboarding,
    actor: Actor,
    now: datetime,
    *events: Event,
    booking: str | None = None,
    recheck: bool = False,
    **fields: Any,
) -> Change:
    """Return the change that requests a run, after `events`, and sets `fields`.

    A recheck does not count as activity.
    """
    latest = onboarding.verification
    if latest and latest.report is None:  # it has not run yet, and will use the newest values
        latest = replace(latest, requested_at=now, recheck=latest.recheck and recheck)
        runs = (*onboarding.verifications[:-1], latest)
    else:
        retired = [replace(run, retry_at=None) for run in onboarding.verifications]
        run = Verification(len(retired) + 1, actor, now, booking=booking, recheck=recheck)
        runs = (*retired, run)
    detail = given(number=runs[-1].number, booking=booking, recheck=recheck)
    requested = Event(EventKind.VERIFICATION_REQUESTED, actor, now, None, detail)
    change = noted if recheck else changed
    return change(onboarding, *events, requested, verifications=runs, **fields)


def record_booking_sent(onboarding: Onboarding, run: Verification, now: datetime) -> Change:
    """Record that the test booking of a run is about to be sent, so may arrive from now on.

    Refused if it was sent before, or if the run is no longer the latest.
    """
    latest = _due(onboarding, run)
    if latest.booking is None or latest.booking_sent_at:
        raise Refused("There is no test booking to be sent.")
    runs = (*onboarding.verifications[:-1], replace(latest, booking_sent_at=now))
    return Change(replace(onboarding, verifications=runs))


def finish_verification(
    onboarding: Onboarding, run: Verification, report: Report, now: datetime
) -> Change:
    """Record the report of a run; Refused if it is no longer the latest."""
    latest = _due(onboarding, run)
    earlier = onboarding.verifications[:-1]
    again = report.retry and latest.attempt < len(RETRY_AFTER)
    retry_at = now + RETRY_AFTER[latest.attempt] if again else None
    finished = replace(latest, report=report, attempt=latest.attempt + 1, retry_at=retry_at)
    if latest.report is None:
        return _finished(onboarding, (*earlier, finished), report, now)
    if report.outcome is Outcome.UNKNOWN:  # as before: nothing to tell
        return Change(replace(onboarding, verifications=(*earlier, finished)))
    # After unknown outcomes, the result gets its own message, so that people notice it.
    answered = replace(finished, number=latest.number + 1, requested_at=now, attempt=1)
    return _finished(onboarding, (*earlier, replace(latest, retry_at=None), answered), report, now)


def _finished(
    onboarding: Onboarding, runs: tuple[Verification, ...], report: Report, now: datetime
) -> Change:
    detail: dict[str, object] = {"number": runs[-1].number, "outcome": report.outcome.value}
    if report.failed:
        detail["fields"] = list(report.fields)  # whose turn it is follows from them
        detail["why"] = [one.title for one in report.failed]
    recheck = runs[-1].recheck
    if recheck:
        detail["recheck"] = True
    quiet = recheck and not _is_news(onboarding, report)
    finished = Event(EventKind.VERIFICATION_FINISHED, BOT, now, None, detail, quiet=quiet)
    if recheck:
        return noted(onboarding, finished, verifications=runs)
    step = onboarding.current
    after = replace(onboarding, verifications=runs)
    if after.client_can_fix and _finished_too_early(onboarding):
        last = onboarding.guide.last_credential_step
        undone = Event(EventKind.STEP_UNDONE, BOT, now, last)
        steps = back_to(onboarding, last)
        return changed(onboarding, finished, undone, verifications=runs, steps=steps)
    if report.outcome is not Outcome.PASSED or step is None or not step.verifies:
        return changed(onboarding, finished, verifications=runs)
    requested_by = runs[-1].requested_by  # perhaps a client who entered a credential
    by = requested_by if requested_by.role is Role.ENGINEER else BOT
    done = Event(EventKind.STEP_DONE, by, now, step.number)
    return end_step(after, step.number, by, now, finished, done)


def _is_news(onboarding: Onboarding, report: Report) -> bool:
    """Whether engineering should hear of the latest run: its verdict differs from the one before.

    What a run for `check all` finds to have stopped working is in its summary instead.
    """
    if report.outcome is Outcome.UNKNOWN:
        return False
    before, run = onboarding.last_verdict, onboarding.verification
    causes = before.report.causes if before and before.report else ()
    if causes == report.causes:
        return False
    in_summary = run and run.requested_by.role is Role.ENGINEER and run.report is None
    return report.outcome is Outcome.PASSED or not in_summary


def _finished_too_early(onboarding: Onboarding) -> bool:
    """Return whether the client's last step was finished while a check was still undecided.

    `onboarding` has the runs before the verdict: the last one is running, or couldn't tell.
    """
    last = onboarding.guide.last_credential_step
    done = onboarding.step(last)
    if onboarding.current_step != last + 1 or not done.at:
        return False
    runs = reversed(onboarding.verifications)
    *_, first = takewhile(lambda run: run.outcome in (None, Outcome.UNKNOWN), runs)
    # If both happened in the same microsecond, an engineer's check counts as after the hand-over.
    later = first.requested_by.role is Role.ENGINEER and first.requested_at == done.at
    return done.state is StepState.DONE and done.at >= first.requested_at and not later


def confirm_writes(onboarding: Onboarding, actor: Actor, now: datetime) -> Change:
    """Record that an engineer has checked the write permissions in ServiceTitan."""
    if signed := onboarding.writes_confirmed:
        raise Refused("{by} already marked this.", by=signed.by)
    if onboarding.verification is None or onboarding.verification.report is None:
        raise Refused("There's no check to mark yet.")
    confirmed = Event(EventKind.WRITES_CONFIRMED, actor, now)
    return noted(onboarding, confirmed)


def _due(onboarding: Onboarding, run: Verification) -> Verification:
    """Return the latest run, if it is still `run` and due; else raise Refused."""
    must_be_checkable(onboarding)
    latest = onboarding.verification
    if latest is None or latest.due_at is None or latest.identity != run.identity:
        raise Refused("A newer verification takes the place of this one.")
    return latest
