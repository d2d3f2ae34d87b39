"""Where an onboarding stands, and what follows from it: whose turn, what is missing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.errors import NotFound
from bot.guide import Guide, Owner, Phase, Step
from bot.onboarding.records import (
    Exposure,
    Loss,
    Status,
    StepProgress,
    StepState,
    StoredCredential,
    Verification,
)
from bot.report import Outcome


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one client stands on the way through one guide."""

    id: str
    guide: Guide
    client_name: str
    channel: str
    engineer: str
    client_admins: tuple[str, ...]
    started_at: datetime
    active_at: datetime
    steps: tuple[StepProgress, ...]
    status: Status = Status.ACTIVE
    loss: Loss | None = None
    account: str | None = None
    thread_ts: str | None = None
    revision: int = 0
    finished_at: datetime | None = None
    destroyed_at: datetime | None = None
    credentials: Mapping[str, StoredCredential] = field(default_factory=dict)
    verifications: tuple[Verification, ...] = ()
    exposures: tuple[Exposure, ...] = ()

    def step(self, number: int) -> StepProgress:
        """Return the progress of step `number`."""
        for progress in self.steps:
            if progress.number == number:
                return progress
        raise NotFound(f"There is no step {number}; the guide has {len(self.steps)}.")

    @property
    def current(self) -> Step | None:
        """The step whose turn it is, None when all are finished."""
        for progress in self.steps:
            if progress.state is StepState.CURRENT:
                return self.guide.step(progress.number)
        return None

    @property
    def finished_steps(self) -> int:
        """How many steps need nothing more."""
        return sum(progress.finished for progress in self.steps)

    @property
    def phase(self) -> Phase | None:
        """The phase of the current step."""
        return self.guide.phase_of(self.current.number) if self.current else None

    @property
    def missing(self) -> tuple[str, ...]:
        """The credentials not entered yet, in the order in which the guide shows them."""
        fields = sorted(self.guide.credentials, key=lambda one: one.step)
        return tuple(one.id for one in fields if one.id not in self.credentials)

    @property
    def verification(self) -> Verification | None:
        """The latest verification."""
        return self.verifications[-1] if self.verifications else None

    @property
    def to_enter_again(self) -> tuple[str, ...]:
        """The credentials that the latest verification found wrong."""
        latest = self.verification
        if latest is None or latest.report is None or latest.report.outcome is not Outcome.FAILED:
            return ()
        return latest.report.fields

    @property
    def exposed(self) -> tuple[str, ...]:
        """The credentials whose stored value others may know, in the order of the guide."""
        known = {
            name
            for exposure in self.exposures
            for name in exposure.fields
            if name in self.credentials and self.credentials[name].at <= exposure.at
        }
        return tuple(field.id for field in self.guide.credentials if field.id in known)

    @property
    def turn(self) -> Owner | None:
        """Whose turn it is: the client also enters again what was found wrong."""
        if self.phase is None:
            return None
        return Owner.CLIENT if self.to_enter_again else self.phase.owner
