"""Everything around the steps: pauses, the channel, reminders, questions, who is in charge."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from bot.core.errors import Refused
from bot.core.mrkdwn import mention, when
from bot.onboarding.model import (
    BOT,
    Escalation,
    Event,
    EventKind,
    InvitationAnswer,
    Loss,
    Question,
    Reminder,
    Snooze,
    Status,
)
from bot.onboarding.people import Actor
from bot.onboarding.retention import Retaining
from bot.onboarding.throttling import ANSWERS, QUESTIONS, in_minutes
from bot.onboarding.transitions import Changed

# A second nudge by hand sooner than this would be the same one.
NUDGED_LATELY = timedelta(hours=1)
# So long after the end people may wait for the news of it.
STILL_NEWS = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Managing(Retaining):
    """What can happen to an onboarding as a whole."""

    def pause(self, actor: Actor, now: datetime, reason: str | None = None) -> Changed[Self]:
        """Let it rest until an engineer takes it up again."""
        if self.status is Status.PAUSED:
            raise Refused("This onboarding is paused already. Nothing was changed.")
        self._must_be_active()
        paused = Event(EventKind.PAUSED, actor, now, None, {"reason": reason} if reason else {})
        return self._changed(now, [paused], status=Status.PAUSED, reason=reason)

    def resume(self, actor: Actor, now: datetime) -> Changed[Self]:
        """Go on after a pause."""
        if self.status is not Status.PAUSED:
            raise Refused(f"This onboarding is {self.status}, not paused. Nothing was changed.")
        resumed = Event(EventKind.RESUMED, actor, now)
        return self._changed(now, [resumed], status=Status.ACTIVE, loss=None, reason=None)

    def cancel(self, actor: Actor, reason: str, now: datetime) -> Changed[Self]:
        """End it before its time; the values are destroyed with it."""
        if self.status is Status.CANCELLED:
            raise Refused("This onboarding is cancelled already. Nothing was changed.")
        self._must_be_running()
        events = [Event(EventKind.CANCELLED, actor, now, None, {"reason": reason})]
        if self.credentials:
            events.append(self._destruction(actor, now))
        return self._changed(
            now,
            events,
            status=Status.CANCELLED,
            loss=None,
            reason=reason,
            finished_at=now,
            destroyed_at=now,
            credentials={},
        )

    def assign(self, engineer: str, actor: Actor, now: datetime) -> Changed[Self]:
        """Put another engineer in charge."""
        self._must_be_running()
        if engineer == self.engineer:
            raise Refused(f"{mention(engineer)} is the engineer already. Nothing was changed.")
        detail = {"from": self.engineer, "to": engineer}
        assigned = Event(EventKind.ASSIGNED, actor, now, None, detail)
        return self._changed(self.active_at, [assigned], engineer=engineer)

    # --- the channel ---

    def lose_channel(self, loss: Loss, now: datetime, code: str = "") -> Changed[Self]:
        """Pause, because the channel is of no use; Refused if that is known already.

        `code` is what Slack said, if it said so in so many words.
        """
        self._must_be_active()
        detail = {"loss": loss.value, **({"code": code} if code else {})}
        paused = Event(EventKind.PAUSED, BOT, now, None, detail)
        return self._changed(self.active_at, [paused], status=Status.PAUSED, loss=loss)

    def regain_channel(self, losses: Collection[Loss], now: datetime) -> Changed[Self]:
        """Go on, if the onboarding was paused for one of `losses`; else Refused."""
        if self.status is not Status.PAUSED or self.loss not in losses:
            raise Refused("This onboarding is not paused for that reason.")
        return self.resume(BOT, now)

    def move_channel(self, channel: str, now: datetime) -> Changed[Self]:
        """Follow the channel to its new id."""
        detail = {"from": self.channel, "to": channel}
        moved = Event(EventKind.CHANNEL_MOVED, BOT, now, None, detail)
        return self._changed(self.active_at, [moved], channel=channel)

    def client_joins(
        self, actor: Actor, now: datetime, timezone: str | None = None
    ) -> Changed[Self]:
        """Record that the first person of the client came into the channel."""
        joined = Event(EventKind.CLIENT_JOINED, actor, now)
        return self._changed(self.active_at, [joined], timezone=self.timezone or timezone)

    def lose_thread(self, thread_ts: str, now: datetime) -> Changed[Self]:
        """Begin another thread, as somebody deleted the first message of this one.

        Refused if that is known already, or if there is nothing left that people wait for.
        """
        lately = self.finished_at is not None and now - self.finished_at < STILL_NEWS
        if self.thread_ts != thread_ts:
            raise Refused("This thread is gone already.")
        if self.status is not Status.COMPLETED or not lately:
            self._must_be_running()
        deleted = Event(EventKind.THREAD_DELETED, BOT, now)
        return self._changed(self.active_at, [deleted], thread_ts=None)

    def publish_again(self) -> Changed[Self]:
        """Have Slack brought level once more: something there was changed by others."""
        self._must_be_running()
        return self._changed(self.active_at, [])

    def answer_invitation(
        self, answer: InvitationAnswer, address: str, actor: Actor, now: datetime
    ) -> Changed[Self]:
        """Record what became of an invitation; nobody has come into the channel by it yet."""
        self._must_be_running()
        detail = {"answer": answer.value, **({"address": address} if address else {})}
        answered = Event(EventKind.INVITATION_ANSWERED, actor, now, None, detail)
        return self._changed(self.active_at, [answered])

    # --- reminders ---

    def remind(self, actor: Actor, now: datetime) -> Changed[Self]:
        """Nudge whoever's turn it is; Refused if a nudge stands there already."""
        self._must_be_active()
        standing = self.reminder
        if standing and (actor == BOT or now - standing.at < NUDGED_LATELY):
            raise Refused(f"There's already a reminder from {when(standing.at)}.")
        if self.current is None or self.awaited is None:
            raise Refused("Every step is done: there is nobody to remind.")
        step, turn = self.current.number, self.awaited
        nudge = Reminder(len(self.reminders) + 1, step, turn, actor, now, self.active_at)
        detail = {"to": turn.value, "since": self.active_at.isoformat()}
        event = Event(EventKind.REMINDED, actor, now, step, detail)
        return self._changed(self.active_at, [event], reminders=(*self.reminders, nudge))

    def snooze(self, actor: Actor, now: datetime, until: datetime | None = None) -> Changed[Self]:
        """Put the next nudge off, to `until`; Refused if no nudge stands there.

        It is no progress: engineering is told as if nobody had snoozed.
        """
        self._must_be_active()
        if self.reminder is None:
            raise Refused(self._why_no_snooze())
        last = replace(self.reminder, snooze=Snooze(actor, now, until))
        detail = {"until": until.isoformat()} if until else {}
        snoozed = Event(EventKind.SNOOZED, actor, now, last.step, detail)
        return self._changed(self.active_at, [snoozed], reminders=(*self.reminders[:-1], last))

    def _why_no_snooze(self) -> str:
        if self.snoozed is None:
            return "There is nothing to snooze any more: the onboarding has gone on."
        until = f", until {when(self.snoozed.until)}" if self.snoozed.until else ""
        return f"{mention(self.snoozed.by.user_id)} has snoozed it already{until}."

    def escalate(self, now: datetime) -> Changed[Self]:
        """Tell engineering that nothing goes on; Refused if they know."""
        self._must_be_active()
        if self.escalated_at:
            raise Refused("Engineering was told already.")
        step = self.current.number if self.current else None
        turn = {"turn": self.awaited.value} if self.awaited else {}
        detail = {**turn, "since": self.active_at.isoformat()}
        event = Event(EventKind.ESCALATED, BOT, now, step, detail)
        told = Escalation(now, self.active_at)
        return self._changed(self.active_at, [event], escalation=told)

    # --- questions ---

    def ask_for_help(self, step: int, question: str, actor: Actor, now: datetime) -> Changed[Self]:
        """Record a question for the engineer."""
        self.step(step)
        mine = (one for one in self.questions if _is_of(one, actor) and one.passage is None)
        if wait := QUESTIONS.wait((one.at for one in mine), now):
            raise Refused(
                f"{mention(self.engineer)} has {QUESTIONS.most} questions of yours from the last "
                f"hour. Please collect the rest, and send them {in_minutes(wait)}."
            )
        asked = Event(EventKind.HELP_ASKED, actor, now, step, {"question": question})
        return self._changed(now, [asked], questions=self._asked(step, question, actor, now))

    def answer_from_guide(
        self, step: int, question: str, passage: str, actor: Actor, now: datetime
    ) -> Changed[Self]:
        """Record a question that a passage of the guide answers."""
        mine = (one for one in self.questions if _is_of(one, actor) and one.passage)
        if wait := ANSWERS.wait((one.at for one in mine), now):
            raise Refused(f"Those are a lot of questions. Please ask again {in_minutes(wait)}.")
        detail = {"question": question, "passage": passage}
        answered = Event(EventKind.GUIDE_ANSWERED, actor, now, step, detail)
        questions = self._asked(step, question, actor, now, passage)
        return self._changed(now, [answered], questions=questions)

    def answer_questions(self, actor: Actor, now: datetime) -> Changed[Self]:
        """Close the open questions: an engineer has written in the thread."""
        waiting = self.open_questions
        if not waiting:
            raise Refused("No question is open.")
        closed = tuple(
            replace(one, answered_by=actor, answered_at=now) if one.open else one
            for one in self.questions
        )
        detail = {"questions": [one.number for one in waiting]}
        answered = Event(EventKind.HELP_ANSWERED, actor, now, waiting[-1].step, detail)
        return self._changed(now, [answered], questions=closed)

    def _asked(
        self, step: int, text: str, actor: Actor, now: datetime, passage: str | None = None
    ) -> tuple[Question, ...]:
        asked = Question(len(self.questions) + 1, step, text, actor, now, passage)
        return (*self.questions, asked)


def _is_of(question: Question, actor: Actor) -> bool:
    return (question.by.user_id, question.by.team_id) == (actor.user_id, actor.team_id)
