"""Transitions of an onboarding as a whole: started, paused, ended, and what happens in Slack."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.errors import Refused
from bot.guide import Guide
from bot.onboarding.credentials import destruction
from bot.onboarding.events import Event, EventKind, InvitationAnswer, given
from bot.onboarding.model import Loss, Status, StepProgress, StepState
from bot.onboarding.people import BOT, Actor
from bot.onboarding.state import Onboarding
from bot.onboarding.transitions import Change, changed, must_be_active, must_be_running, noted

# For this long after the end, a deleted thread is posted again: people may still want the news.
STILL_NEWS = timedelta(hours=1)
MOST_GREETED = 10


def start(
    onboarding_id: str,
    guide: Guide,
    *,
    client_name: str,
    channel: str,
    engineer: str,
    engineer_email: str = "",
    client_admins: Collection[str],
    actor: Actor,
    now: datetime,
    timezone: str | None = None,
    client_team: str | None = None,
) -> Change:
    """Begin an onboarding at the first step of `guide`."""
    first, *rest = (StepProgress(step.number) for step in guide.steps)
    onboarding = Onboarding(
        id=onboarding_id,
        guide=guide,
        client_name=client_name,
        channel=channel,
        engineer=engineer,
        engineer_email=engineer_email,
        client_admins=tuple(client_admins),
        started_at=now,
        active_at=now,
        turn_at=now,
        steps=(replace(first, state=StepState.CURRENT), *rest),
        timezone=timezone,
        client_team=client_team,
    )
    started = Event(EventKind.STARTED, actor, now, None, given(email=engineer_email))
    return Change(onboarding, (started,))


def pause(onboarding: Onboarding, actor: Actor, now: datetime, reason: str | None = None) -> Change:
    if onboarding.status is Status.PAUSED:
        raise Refused("It's already paused.")
    must_be_active(onboarding)
    paused = Event(EventKind.PAUSED, actor, now, None, given(reason=reason))
    return changed(onboarding, paused, status=Status.PAUSED, reason=reason)


def resume(onboarding: Onboarding, actor: Actor, now: datetime) -> Change:
    if onboarding.status is not Status.PAUSED:
        raise Refused("It isn't paused.")
    resumed = Event(EventKind.RESUMED, actor, now, onboarding.current_step)
    return changed(onboarding, resumed, status=Status.ACTIVE, loss=None, reason=None)


def cancel(onboarding: Onboarding, actor: Actor, reason: str, now: datetime) -> Change:
    """End an onboarding early and destroy its credentials."""
    if onboarding.status is Status.CANCELLED:
        raise Refused("It's already canceled.")
    must_be_running(onboarding)
    events = [Event(EventKind.CANCELLED, actor, now, None, {"reason": reason})]
    if onboarding.credentials:
        events.append(destruction(onboarding, actor, now))
    return changed(
        onboarding,
        *events,
        status=Status.CANCELLED,
        loss=None,
        reason=reason,
        finished_at=now,
        destroyed_at=now,
        credentials={},
    )


def lose_channel(onboarding: Onboarding, loss: Loss, now: datetime, code: str = "") -> Change:
    """Pause, because the channel can no longer be used; Refused if that is known already.

    `code` is Slack's error, if a call failed.
    """
    must_be_active(onboarding)
    paused = Event(EventKind.PAUSED, BOT, now, None, given(loss=loss.value, code=code))
    return noted(onboarding, paused, status=Status.PAUSED, loss=loss)


def regain_channel(onboarding: Onboarding, losses: Collection[Loss], now: datetime) -> Change:
    """Resume if the onboarding was paused for one of `losses`; else Refused."""
    if onboarding.status is not Status.PAUSED or onboarding.loss not in losses:
        raise Refused("This onboarding is not paused for that reason.")
    return resume(onboarding, BOT, now)


def move_channel(onboarding: Onboarding, channel: str, now: datetime) -> Change:
    detail = {"from": onboarding.channel, "to": channel}
    moved = Event(EventKind.CHANNEL_MOVED, BOT, now, None, detail)
    return noted(onboarding, moved, channel=channel)


def client_joins(
    onboarding: Onboarding, actor: Actor, now: datetime, timezone: str | None = None
) -> Change:
    """Record that somebody from the client joined the channel; they are greeted in the thread.

    Refused if they were greeted before, or if so many have joined that nobody else is greeted.
    """
    must_be_running(onboarding)
    count = len(onboarding.joined)
    if count == MOST_GREETED or actor.user_id in {one.actor.user_id for one in onboarding.joined}:
        raise Refused("They were greeted.")
    kind = EventKind.MEMBER_JOINED if count else EventKind.CLIENT_JOINED
    joined = Event(kind, actor, now, onboarding.current_step)
    return noted(onboarding, joined, timezone=onboarding.timezone or timezone)


def answer_invitation(
    onboarding: Onboarding, answer: InvitationAnswer, address: str, actor: Actor, now: datetime
) -> Change:
    """Record the answer to an invitation to the channel; that alone doesn't mean anyone joined."""
    must_be_running(onboarding)
    detail = given(answer=answer.value, address=address)
    return noted(onboarding, Event(EventKind.INVITATION_ANSWERED, actor, now, None, detail))


def lose_thread(onboarding: Onboarding, thread_ts: str, now: datetime) -> Change:
    """Start another thread, because the first message of this one was deleted.

    Refused if that is known already, or if the onboarding ended a while ago.
    """
    finished_at = onboarding.finished_at
    if onboarding.thread_ts != thread_ts:
        raise Refused("This thread is gone already.")
    just_finished = finished_at is not None and now - finished_at < STILL_NEWS
    if onboarding.status is not Status.COMPLETED or not just_finished:
        must_be_running(onboarding)
    return noted(onboarding, Event(EventKind.THREAD_DELETED, BOT, now), thread_ts=None)


def publish_again(onboarding: Onboarding) -> Change:
    """Have Slack updated once more, because somebody else changed something there."""
    must_be_running(onboarding)
    return noted(onboarding)
