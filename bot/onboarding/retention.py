"""What becomes of the values of an onboarding that stands still: kept if somebody says so."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from bot.core.errors import Refused
from bot.core.mrkdwn import mention, when
from bot.onboarding.credentials import Verifying
from bot.onboarding.model import BOT, Deletion, Event, EventKind, Retention
from bot.onboarding.people import Actor
from bot.onboarding.transitions import Changed


@dataclass(frozen=True, slots=True)
class Retaining(Verifying):
    """What can happen to values that nobody has needed for long."""

    @property
    def retained(self) -> Retention | None:
        """What was asked or decided about the values since the last activity."""
        last = self.retention
        return last if last and last.since >= self.active_at else None

    def age_credentials(
        self, now: datetime, *, keep: timedelta, objection: timedelta
    ) -> Changed[Self]:
        """Ask engineering about values unused for `keep`; delete them an `objection` later.

        Refused if there is nothing to ask or to delete now.
        """
        self._must_be_running()
        if not self.credentials or now - self.active_at < keep:
            raise Refused("These credentials are in use.")
        asked = self.retained
        if asked and now < asked.until:
            raise Refused("Engineering knows, or decided to keep them.")
        if asked and not asked.kept_by:
            return self._expire(now)
        until = now + objection
        return self._retain(EventKind.RETENTION_ASKED, BOT, now, until)

    def keep_credentials(self, actor: Actor, now: datetime, until: datetime) -> Changed[Self]:
        """Keep the values although nothing happens; engineering is asked again at `until`."""
        asked = self.retained
        if asked and asked.kept_by:
            who = mention(asked.kept_by.user_id)
            raise Refused(f"{who} already kept these credentials, until {when(asked.until)}.")
        if not asked or not self.credentials:
            gone = self.deletions[-1].at if self.deletions and not self.credentials else None
            raise Refused(
                f"These credentials were already deleted: {when(gone)}."
                if gone
                else "There's nothing to decide anymore: this setup has moved on."
            )
        self._must_be_running()
        return self._retain(EventKind.CREDENTIALS_KEPT, actor, now, until)

    def _retain(
        self, kind: EventKind, actor: Actor, now: datetime, until: datetime
    ) -> Changed[Self]:
        since = self.active_at
        detail = {
            "fields": sorted(self.credentials),
            "since": since.isoformat(),
            "until": until.isoformat(),
        }
        kept_by = None if actor == BOT else actor
        retention = Retention(now, until, since, kept_by)
        return self._changed(since, [Event(kind, actor, now, None, detail)], retention=retention)

    def _expire(self, now: datetime) -> Changed[Self]:
        """Delete the values; the step at which all of them can be entered opens again."""
        versions = {name: one.version for name, one in sorted(self.credentials.items())}
        days = (now - self.active_at).days
        detail = {"fields": list(versions), "versions": versions, "days": days}
        events = [Event(EventKind.CREDENTIALS_EXPIRED, BOT, now, None, detail)]
        deletion = Deletion(len(self.deletions) + 1, versions, now, days)
        steps, number = self.steps, self.guide.last_credential_step
        if number and self.step(number).finished:
            events.append(Event(EventKind.STEP_UNDONE, BOT, now, number))
            steps = self._back_to(number)
        return self._changed(
            self.active_at,
            events,
            credentials={},
            steps=steps,
            deletions=(*self.deletions, deletion),
            verifications=tuple(replace(run, retry_at=None) for run in self.verifications),
        )
