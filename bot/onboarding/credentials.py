"""The values' way: entered, verified, exposed, looked at, destroyed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from bot.core.errors import Refused
from bot.core.mrkdwn import mention, when
from bot.onboarding.model import (
    BOT,
    Event,
    EventKind,
    PostedSecret,
    Signed,
    Status,
    StoredCredential,
    Verification,
)
from bot.onboarding.people import Actor, Role
from bot.onboarding.redaction import HIDDEN
from bot.onboarding.report import Outcome, Report
from bot.onboarding.throttling import CHECKS_ASKED_FOR, EXPOSURES, MAX_FINGERPRINTS, in_minutes
from bot.onboarding.transitions import Changed, Transitions

# Pauses before ServiceTitan is asked again while it is away; after the last one we stop asking.
RETRY_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 30, *[60] * 24))


@dataclass(frozen=True, slots=True)
class Verifying(Transitions):
    """What can happen to the values and their verification."""

    def enter_credentials(
        self, step: int, masks: Mapping[str, str], actor: Actor, now: datetime
    ) -> Changed[Self]:
        """Record that the values behind `masks` (by field) were stored; verify when all are in."""
        self._must_be_active()
        credentials = dict(self.credentials)
        events = []
        for name, shown in masks.items():
            old = credentials.get(name)
            # Versions go on after a deletion, so that no deleted value passes for the newest.
            former = [deletion.versions.get(name, 0) for deletion in self.deletions]
            version = max([old.version if old else 0, *former]) + 1
            credentials[name] = StoredCredential(shown, actor, now, version)
            kind = EventKind.CREDENTIAL_REPLACED if old else EventKind.CREDENTIAL_ENTERED
            events.append(Event(kind, actor, now, step, {"field": name, "version": version}))
        if outdated := self._handed_on(masks):
            detail = {"fields": outdated}
            events.append(Event(EventKind.PLATFORM_OUTDATED, actor, now, step, detail))
        after = replace(self, credentials=credentials)
        if after.missing:
            return self._changed(now, events, credentials=credentials)
        return self._verify(actor, now, events, credentials=credentials)

    def request_verification(
        self, actor: Actor, now: datetime, booking: str | None = None
    ) -> Changed[Self]:
        """Have the stored values verified; `booking` is the externalId of a test booking."""
        self._must_be_active()
        if booking and not (self.current and self.current.verifies):
            raise Refused("A test booking is made with the last verification only: not yet.")
        if self.missing:
            raise Refused(f"There is nothing to verify yet: {self._named(self.missing)} missing.")
        if self.verification and self.verification.report is None:
            raise Refused("The verification is running already; its result appears in the thread.")
        times = (run.requested_at for run in self.verifications)
        if wait := CHECKS_ASKED_FOR.wait(times, now):
            raise Refused(
                f"ServiceTitan was asked {CHECKS_ASKED_FOR.most} times in the last hour. Please "
                f"check again {in_minutes(wait)}."
            )
        return self._verify(actor, now, [], booking)

    def send_booking(self, number: int, requested_at: datetime, now: datetime) -> Changed[Self]:
        """Note that the test booking of a run is about to be sent: it may arrive from now on.

        Refused if it was sent before, or if the run is no longer the one that is awaited.
        """
        run = self._awaited(number, requested_at)
        if run.booking is None or run.booking_sent_at:
            raise Refused("There is no test booking to be sent (any more).")
        sent = replace(run, booking_sent_at=now)
        return Changed(replace(self, verifications=(*self.verifications[:-1], sent)), ())

    def finish_verification(
        self, number: int, requested_at: datetime, report: Report, now: datetime
    ) -> Changed[Self]:
        """Record the report of a run; Refused if it is no longer the one that is awaited."""
        latest = self._awaited(number, requested_at)
        finished = replace(
            latest,
            report=report,
            attempt=latest.attempt + 1,
            retry_at=_retry_at(latest, report, now),
        )
        if latest.report is None:
            runs = (*self.verifications[:-1], finished)
        elif report.outcome is Outcome.UNKNOWN:
            return Changed(replace(self, verifications=(*self.verifications[:-1], finished)), ())
        else:  # an answer at last: it gets a message of its own, which people notice
            answered = replace(finished, number=number + 1, requested_at=now, attempt=1)
            runs = (*self.verifications[:-1], replace(latest, retry_at=None), answered)
        return self._verified(runs, report, now)

    def confirm_writes(self, actor: Actor, now: datetime) -> Changed[Self]:
        """Record that an engineer has looked at the write permissions in ServiceTitan."""
        if signed := self.writes_confirmed:
            raise Refused(f"Ticked off already, by {mention(signed.by.user_id)}.")
        if self.verification is None or self.verification.report is None:
            raise Refused("There is no report yet in which this could be ticked off.")
        confirmed = Event(EventKind.WRITES_CONFIRMED, actor, now)
        return self._changed(self.active_at, [confirmed], writes_confirmed=Signed(actor, now))

    def record_posted_secret(
        self,
        fields: Collection[str],
        actor: Actor,
        now: datetime,
        fingerprints: Collection[str] = (),
        *,
        elsewhere: bool | str = False,
        reopen: Collection[str] | None = None,
        texts: Collection[datetime] = (),
    ) -> Changed[Self]:
        """Record that values were posted where others read them: in the channel, or `elsewhere`.

        `elsewhere` is the channel, or True for the engineering channel. A stored one that must stay
        secret has its step opened again, so that a new one is made; of those in `reopen`, if given.
        `fingerprints` are keyed digests of what was posted, to recognize it when it is entered
        later. `texts` are the times of the events that quote it, which are then hidden.
        """
        number = len(self.posted_secrets) + 1
        posted_secret = PostedSecret(
            number, tuple(fields), actor, now, tuple(sorted(fingerprints)), bool(elsewhere)
        )
        detail: dict[str, Any] = {"fields": list(fields)}
        detail |= {"marks": sorted(fingerprints)} if fingerprints else {}
        detail |= {"elsewhere": elsewhere} if elsewhere else {}
        detail |= {"texts": sorted(at.isoformat() for at in texts)} if texts else {}
        events = [Event(EventKind.EXPOSED, actor, now, None, detail)]
        posted_secrets = (*self.posted_secrets, posted_secret)
        questions = tuple(
            replace(one, text=HIDDEN) if one.at in texts else one for one in self.questions
        )
        exposed = replace(self, posted_secrets=posted_secrets).exposed
        again = [
            field.step
            for field in map(self.guide.field, exposed)
            if field.secret_pattern and field.id in (fields if reopen is None else reopen)
        ]
        first = min(again, default=0)
        if self.status is not Status.ACTIVE or not first or not self.step(first).finished:
            if not texts and (told := self._told_of(posted_secret)):
                return self._expose_again(told, posted_secret)
            return self._changed(now, events, posted_secrets=posted_secrets, questions=questions)
        undone = Event(EventKind.STEP_UNDONE, BOT, now, first)
        steps = self._back_to(first)
        events.append(undone)
        return self._changed(
            now, events, steps=steps, posted_secrets=posted_secrets, questions=questions
        )

    def _told_of(self, posted_secret: PostedSecret) -> PostedSecret | None:
        """Return the notice of the last hour that says the same of the same credentials."""
        for one in reversed(self.posted_secrets):
            if EXPOSURES.wait([one.at], posted_secret.at) is None:
                return None
            same = one.elsewhere == posted_secret.elsewhere and {*posted_secret.fields} <= {
                *one.fields
            }
            stored = (self.credentials.get(name) for name in posted_secret.fields)
            if same and all(value is None or value.at <= one.at for value in stored):
                return one
        return None

    def _expose_again(self, told: PostedSecret, posted_secret: PostedSecret) -> Changed[Self]:
        """Remember with a notice what else was posted; nobody is told another time."""
        fingerprints = sorted({*posted_secret.fingerprints} - {*told.fingerprints})[
            : max(MAX_FINGERPRINTS - len(told.fingerprints), 0)
        ]
        if not fingerprints:
            return Changed(self, ())
        posted_secrets = list(self.posted_secrets)
        posted_secrets[told.number - 1] = replace(
            told, fingerprints=(*told.fingerprints, *fingerprints)
        )
        detail = {
            "number": told.number,
            "fields": list(posted_secret.fields),
            "marks": fingerprints,
        }
        again = Event(EventKind.EXPOSED_AGAIN, posted_secret.by, posted_secret.at, None, detail)
        return self._changed(self.active_at, [again], posted_secrets=tuple(posted_secrets))

    def reveal(self, fields: Collection[str], actor: Actor, now: datetime) -> Changed[Self]:
        """Record that somebody looks at stored values."""
        if self.destroyed_at:
            raise Refused(
                f"The credentials were deleted {when(self.destroyed_at)}, some time after the end "
                "of the onboarding. The history keeps who entered them."
            )
        if missing := [name for name in fields if name not in self.credentials]:
            raise Refused(f"Not entered yet: {self._named(missing)}.")
        seen = Event(EventKind.CREDENTIALS_REVEALED, actor, now, None, {"fields": list(fields)})
        return self._changed(now, [seen])

    def destroy_credentials(self, actor: Actor, now: datetime) -> Changed[Self]:
        """Forget the values of a finished onboarding; the history keeps who entered them."""
        if self.finished_at is None:
            raise Refused(f"This onboarding is {self.status}: its values are still needed.")
        if self.destroyed_at:
            raise Refused("The values are destroyed already.")
        destroyed = self._destruction(actor, now)
        return self._changed(self.active_at, [destroyed], credentials={}, destroyed_at=now)

    def _destruction(self, actor: Actor, now: datetime) -> Event:
        detail = {"fields": sorted(self.credentials)}
        return Event(EventKind.CREDENTIALS_DESTROYED, actor, now, None, detail)

    def _awaited(self, number: int, requested_at: datetime) -> Verification:
        self._must_be_active()
        latest = self.verification
        asked_for = latest and (latest.number, latest.requested_at) == (number, requested_at)
        if latest is None or not asked_for or latest.due_at is None:
            raise Refused("A newer verification takes the place of this one.")
        return latest

    def _verify(
        self,
        actor: Actor,
        now: datetime,
        events: list[Event],
        booking: str | None = None,
        **fields: object,
    ) -> Changed[Self]:
        latest = self.verification
        if latest and latest.report is None:  # not run yet: it will use the newest values
            runs = (*self.verifications[:-1], replace(latest, requested_at=now))
        else:
            retired = tuple(replace(run, retry_at=None) for run in self.verifications)
            runs = (*retired, Verification(len(retired) + 1, actor, now, booking=booking))
        detail: dict[str, object] = {"number": runs[-1].number}
        if booking:
            detail["booking"] = booking
        requested = Event(EventKind.VERIFICATION_REQUESTED, actor, now, None, detail)
        return self._changed(now, [*events, requested], verifications=runs, **fields)

    def _verified(
        self, runs: tuple[Verification, ...], report: Report, now: datetime
    ) -> Changed[Self]:
        detail: dict[str, object] = {"number": runs[-1].number, "outcome": report.outcome.value}
        if report.outcome is Outcome.FAILED:
            detail["fields"] = list(report.fields)  # whose turn it is follows from them
        finished = Event(EventKind.VERIFICATION_FINISHED, BOT, now, None, detail)
        passed = report.outcome is Outcome.PASSED
        if passed and self.current and self.current.verifies:
            asked_by = runs[-1].requested_by  # a client's new value may have started the run
            number, by = self.current.number, asked_by if asked_by.role is Role.ENGINEER else BOT
            done = Event(EventKind.STEP_DONE, by, now, number)
            return replace(self, verifications=runs)._finish(number, by, now, [finished, done])
        return self._changed(now, [finished], verifications=runs)

    def _handed_on(self, fields: Collection[str]) -> list[str]:
        """Those of `fields` whose earlier value was carried into HeavySet's platform already."""
        carried = {
            name
            for step in self.guide.steps
            for name in step.reveals
            if self.step(step.number).finished and name in self.credentials
        }
        return [name for name in fields if name in carried]


def _retry_at(run: Verification, report: Report, now: datetime) -> datetime | None:
    if report.outcome is Outcome.UNKNOWN and report.retry and run.attempt < len(RETRY_AFTER):
        return now + RETRY_AFTER[run.attempt]
    return None
