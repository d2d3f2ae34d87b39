"""The state machine of one onboarding (pure): what happened turns a state into the next.

Every transition takes who did it and when, and returns a `Change`: the new state and the events
to record. It raises `Refused`, with words for the person, when it cannot happen now. Who may do
what is decided before, in `people`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.errors import Refused
from bot.guide import Guide, Owner
from bot.mrkdwn import listed, mention, when
from bot.onboarding.records import (
    BOT,
    Event,
    EventKind,
    Exposure,
    Loss,
    Status,
    StepProgress,
    StepState,
    StoredCredential,
    Verification,
)
from bot.onboarding.standing import Standing
from bot.people import Actor, Role
from bot.report import Outcome, Report

# Pauses before ServiceTitan is asked again while it is away; after the last one we stop asking.
RETRY_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 30, *[60] * 24))


@dataclass(frozen=True, slots=True)
class Onboarding(Standing):
    """One client's way through one guide: what can happen to it."""

    def choose(self, number: int, option_id: str, actor: Actor, now: datetime) -> "Change":
        """Answer the question of step `number`, which finishes it and what it makes needless."""
        self._must_be_current(number)
        choice = self.guide.step(number).choice
        option = (
            next((one for one in choice.options if one.id == option_id), None) if choice else None
        )
        if option is None:
            raise Refused("This answer is not offered any more. Please use the newest message.")
        chosen = Event(EventKind.ACCOUNT_CHOSEN, actor, now, number, {"choice": option.id})
        skipped = [Event(EventKind.STEP_SKIPPED, actor, now, skip) for skip in option.skips]
        done = Event(EventKind.STEP_DONE, actor, now, number)
        after = replace(self, account=option.id)
        return after._finish(number, actor, now, [chosen, done, *skipped], skip=option.skips)

    def finish_step(self, number: int, actor: Actor, now: datetime) -> "Change":
        """Mark the current step as done and go on to the next."""
        self._must_be_current(number)
        step = self.guide.step(number)
        if step.choice:
            answers = listed(f"“{option.label}”" for option in step.choice.options)
            raise Refused(f"Please answer the question of step {number} instead: {answers}.")
        if step.verifies:
            raise Refused(
                f"Step {number} is finished by the verification itself: press “Verify now”. "
                "When every check has passed, the onboarding is complete."
            )
        if number >= self.guide.last_credential_step and self.missing:
            raise Refused(
                f"Step {number} needs all {len(self.guide.credentials)} values first. "
                f"Still missing: {self._named(self.missing)}. "
                "Press “Enter securely” on this step to add what is missing."
            )
        if number >= self.guide.last_credential_step and (bad := self._secret(self.exposed)):
            raise Refused(
                f"Others may know the value of {self._named(bad)}, as it was posted in the "
                "channel. Make a new one there, and enter it with “Enter securely”."
            )
        return self._finish(number, actor, now, [Event(EventKind.STEP_DONE, actor, now, number)])

    def undo_step(self, number: int, actor: Actor, now: datetime) -> "Change":
        """Make a finished step current again; the later ones wait for it. No value is lost."""
        self._must_be_active()
        progress = self.step(number)
        if progress.state is StepState.CURRENT:
            raise Refused(f"Step {number} is open already.")
        if progress.state is StepState.WAITING:
            raise Refused(f"Step {number} is not done yet, so there is nothing to undo.")
        if progress.state is StepState.SKIPPED:
            because = next(
                step.number
                for step in self.guide.steps
                for option in (step.choice.options if step.choice else ())
                if number in option.skips
            )
            raise Refused(f"Step {number} was not needed. To change that, undo step {because}.")
        steps = self._back_to(number)
        undone = Event(EventKind.STEP_UNDONE, actor, now, number)
        account = None if self.guide.step(number).choice else self.account
        return self._changed(now, [undone], steps=steps, account=account)

    def enter_credentials(
        self, step: int, masks: Mapping[str, str], actor: Actor, now: datetime
    ) -> "Change":
        """Record that the values behind `masks` (by field) were stored; verify when all are in."""
        self._must_be_active()
        credentials = dict(self.credentials)
        events = []
        for name, shown in masks.items():
            old = credentials.get(name)
            version = old.version + 1 if old else 1
            credentials[name] = StoredCredential(shown, actor, now, version)
            kind = EventKind.CREDENTIAL_REPLACED if old else EventKind.CREDENTIAL_ENTERED
            events.append(Event(kind, actor, now, step, {"field": name, "version": version}))
        if outdated := self._handed_on(masks):
            detail = {"fields": outdated}
            events.append(Event(EventKind.PLATFORM_OUTDATED, actor, now, step, detail))
        after = replace(self, credentials=credentials)
        if after.missing:
            return after._changed(now, events)
        return after._verify(actor, now, events)

    def request_verification(self, actor: Actor, now: datetime) -> "Change":
        """Have the stored values verified."""
        self._must_be_active()
        if self.missing:
            raise Refused(f"There is nothing to verify yet: {self._named(self.missing)} missing.")
        if self.verification and self.verification.report is None:
            raise Refused("The verification is running already; its result appears in the thread.")
        return self._verify(actor, now, [])

    def finish_verification(
        self, number: int, requested_at: datetime, report: Report, now: datetime
    ) -> "Change":
        """Record the report of a run; Refused if it is no longer the one that is awaited."""
        self._must_be_active()
        latest = self.verification
        asked_for = latest and (latest.number, latest.requested_at) == (number, requested_at)
        if latest is None or not asked_for or latest.due_at is None:
            raise Refused("A newer verification takes the place of this one.")
        finished = replace(
            latest,
            report=report,
            attempt=latest.attempt + 1,
            retry_at=_retry_at(latest, report, now),
        )
        if latest.report is None:
            runs = (*self.verifications[:-1], finished)
        elif report.outcome is Outcome.UNKNOWN:
            return Change(replace(self, verifications=(*self.verifications[:-1], finished)), ())
        else:  # an answer at last: it gets a message of its own, which people notice
            answered = replace(finished, number=number + 1, requested_at=now, attempt=1)
            runs = (*self.verifications[:-1], replace(latest, retry_at=None), answered)
        return self._verified(runs, report, now)

    def expose(self, fields: Collection[str], actor: Actor, now: datetime) -> "Change":
        """Record that values were posted where others read them.

        A stored one that must stay secret has its step opened again, so that a new one is made.
        """
        number = len(self.exposures) + 1
        exposure = Exposure(number, tuple(fields), actor, now)
        events = [Event(EventKind.EXPOSED, actor, now, None, {"fields": list(fields)})]
        after = replace(self, exposures=(*self.exposures, exposure))
        again = [self.guide.field(name).step for name in self._secret(after.exposed)]
        first = min(again, default=0)
        if self.status is not Status.ACTIVE or not first or not self.step(first).finished:
            return after._changed(now, events)
        undone = Event(EventKind.STEP_UNDONE, BOT, now, first)
        return after._changed(now, [*events, undone], steps=self._back_to(first))

    def ask_for_help(self, step: int, question: str, actor: Actor, now: datetime) -> "Change":
        """Record a question for the engineer."""
        self.step(step)
        asked = Event(EventKind.HELP_ASKED, actor, now, step, {"question": question})
        return self._changed(now, [asked])

    def reveal(self, fields: Collection[str], actor: Actor, now: datetime) -> "Change":
        """Record that somebody looks at stored values."""
        if self.destroyed_at:
            raise Refused(
                f"The values were destroyed on {when(self.destroyed_at)}, some time after the end "
                "of the onboarding. The history keeps who entered them."
            )
        if missing := [name for name in fields if name not in self.credentials]:
            raise Refused(f"Not entered yet: {self._named(missing)}.")
        seen = Event(EventKind.CREDENTIALS_REVEALED, actor, now, None, {"fields": list(fields)})
        return self._changed(now, [seen])

    def destroy_credentials(self, actor: Actor, now: datetime) -> "Change":
        """Forget the values of a finished onboarding; the history keeps who entered them."""
        if self.finished_at is None:
            raise Refused(f"This onboarding is {self.status}: its values are still needed.")
        if self.destroyed_at:
            raise Refused("The values are destroyed already.")
        detail = {"fields": sorted(self.credentials)}
        destroyed = Event(EventKind.CREDENTIALS_DESTROYED, actor, now, None, detail)
        return self._changed(self.active_at, [destroyed], credentials={}, destroyed_at=now)

    def lose_channel(self, loss: Loss, now: datetime) -> "Change":
        """Pause, because the channel is of no use; Refused if that is known already."""
        self._must_be_active()
        paused = Event(EventKind.PAUSED, BOT, now, None, {"loss": loss.value})
        return self._changed(self.active_at, [paused], status=Status.PAUSED, loss=loss)

    def regain_channel(self, losses: Collection[Loss], now: datetime) -> "Change":
        """Go on, if the onboarding was paused for one of `losses`; else Refused."""
        if self.status is not Status.PAUSED or self.loss not in losses:
            raise Refused("This onboarding is not paused for that reason.")
        return self.resume(BOT, now)

    def resume(self, actor: Actor, now: datetime) -> "Change":
        """Go on after a pause."""
        if self.status is not Status.PAUSED:
            raise Refused(f"This onboarding is {self.status}, not paused. Nothing was changed.")
        resumed = Event(EventKind.RESUMED, actor, now)
        return self._changed(now, [resumed], status=Status.ACTIVE, loss=None)

    def move_channel(self, channel: str, now: datetime) -> "Change":
        """Follow the channel to its new id."""
        moved = Event(
            EventKind.CHANNEL_MOVED, BOT, now, None, {"from": self.channel, "to": channel}
        )
        return self._changed(self.active_at, [moved], channel=channel)

    def client_joins(self, actor: Actor, now: datetime) -> "Change":
        """Record that the first person of the client came into the channel."""
        return self._changed(self.active_at, [Event(EventKind.CLIENT_JOINED, actor, now)])

    # --- how the transitions are made ---

    def _must_be_active(self) -> None:
        if self.status is Status.PAUSED:
            raise Refused("This onboarding is paused. A HeavySet engineer takes it up again soon.")
        if self.status is not Status.ACTIVE:
            raise Refused(
                f"This onboarding is {self.status}: nothing is left to do here. "
                "Is something wrong? Please tell your HeavySet engineer."
            )

    def _must_be_current(self, number: int) -> None:
        progress = self.step(number)
        if progress.finished and progress.by and progress.at:
            word = "already done" if progress.state is StepState.DONE else "not needed: skipped"
            who = mention(progress.by.user_id)
            raise Refused(f"Step {number} is {word}, by {who} on {when(progress.at)}.")
        self._must_be_active()
        if progress.state is StepState.WAITING and self.current:
            raise Refused(
                f"Step {number} comes later. Step {self.current.number} is the current one: "
                f"{self.current.title}."
            )

    def _finish(
        self,
        number: int,
        actor: Actor,
        now: datetime,
        events: list[Event],
        skip: Collection[int] = (),
    ) -> "Change":
        before = self.guide.phase_of(number).owner
        steps = [
            replace(one, state=StepState.DONE, by=actor, at=now)
            if one.number == number
            else replace(one, state=StepState.SKIPPED, by=actor, at=now)
            if one.number in skip
            else one
            for one in self.steps
        ]
        for position, one in enumerate(steps):
            if one.state is StepState.WAITING:
                steps[position] = replace(one, state=StepState.CURRENT)
                break
        after = replace(self, steps=tuple(steps))
        if after.phase and (before, after.phase.owner) == (Owner.CLIENT, Owner.HEAVYSET):
            events = [
                *events,
                Event(EventKind.HANDED_OVER, actor, now, after.phase.steps[0].number),
            ]
        if after.current is None:
            completed = Event(EventKind.COMPLETED, actor, now)
            return after._changed(
                now, [*events, completed], status=Status.COMPLETED, finished_at=now
            )
        return after._changed(now, events)

    def _verify(self, actor: Actor, now: datetime, events: list[Event]) -> "Change":
        latest = self.verification
        if latest and latest.report is None:  # not run yet: it will use the newest values
            runs = (*self.verifications[:-1], replace(latest, requested_at=now))
        else:
            retired = tuple(replace(run, retry_at=None) for run in self.verifications)
            runs = (*retired, Verification(len(retired) + 1, actor, now))
        requested = Event(
            EventKind.VERIFICATION_REQUESTED, actor, now, None, {"number": runs[-1].number}
        )
        return self._changed(now, [*events, requested], verifications=runs)

    def _verified(self, runs: tuple[Verification, ...], report: Report, now: datetime) -> "Change":
        detail = {"number": runs[-1].number, "outcome": report.outcome.value}
        finished = Event(EventKind.VERIFICATION_FINISHED, BOT, now, None, detail)
        after = replace(self, verifications=runs)
        passed = report.outcome is Outcome.PASSED
        if passed and after.current and after.current.verifies:
            asked_by = runs[-1].requested_by  # a client's new value may have started the run
            number, by = after.current.number, asked_by if asked_by.role is Role.ENGINEER else BOT
            return after._finish(
                number, by, now, [finished, Event(EventKind.STEP_DONE, by, now, number)]
            )
        return after._changed(now, [finished])

    def _back_to(self, number: int) -> tuple[StepProgress, ...]:
        return tuple(
            replace(one, state=StepState.CURRENT, by=None, at=None)
            if one.number == number
            else StepProgress(one.number)
            if one.number > number
            else one
            for one in self.steps
        )

    def _secret(self, fields: Collection[str]) -> list[str]:
        return [name for name in fields if self.guide.field(name).telltale]

    def _handed_on(self, fields: Collection[str]) -> list[str]:
        """Those of `fields` whose earlier value was carried into HeavySet's platform already."""
        carried = {
            name
            for step in self.guide.steps
            for name in step.reveals
            if self.step(step.number).finished and name in self.credentials
        }
        return [name for name in fields if name in carried]

    def _named(self, fields: Collection[str]) -> str:
        return listed(
            f"{self.guide.field(name).label} (step {self.guide.field(name).step})"
            for name in fields
        )

    def _changed(self, now: datetime, events: list[Event], **fields: Any) -> "Change":
        return Change(replace(self, active_at=now, **fields), tuple(events))


@dataclass(frozen=True, slots=True)
class Change:
    """What a transition makes: the next state, and what the history gets."""

    onboarding: Onboarding
    events: tuple[Event, ...]


def start(
    onboarding_id: str,
    guide: Guide,
    *,
    client_name: str,
    channel: str,
    engineer: str,
    client_admins: Collection[str],
    actor: Actor,
    now: datetime,
) -> Change:
    """Begin an onboarding at the first step of `guide`."""
    first, *rest = (StepProgress(step.number) for step in guide.steps)
    onboarding = Onboarding(
        id=onboarding_id,
        guide=guide,
        client_name=client_name,
        channel=channel,
        engineer=engineer,
        client_admins=tuple(client_admins),
        started_at=now,
        active_at=now,
        steps=(replace(first, state=StepState.CURRENT), *rest),
    )
    return Change(onboarding, (Event(EventKind.STARTED, actor, now),))


def _retry_at(run: Verification, report: Report, now: datetime) -> datetime | None:
    if report.outcome is Outcome.UNKNOWN and report.retry and run.attempt < len(RETRY_AFTER):
        return now + RETRY_AFTER[run.attempt]
    return None
