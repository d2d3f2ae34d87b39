"""The report of a verification: its checks, their outcomes, and how to fix them (pure data)."""

from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict


class Outcome(StrEnum):
    """The outcome of a check or report. What could not be determined is not a failure."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_CHECKED = "not_checked"


class Check(BaseModel):
    """One check. None of its texts may hold a credential.

    `for_client` is for a busy admin on a phone; `for_engineer` names status, trace id and duration.
    `fields` are the credentials to enter again, `steps` the guide's steps to repeat. `cause` is a
    stable name of the problem. A report may pass while a check that is not `required` is unknown.
    `retry`: trying again later may be enough.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    title: str
    outcome: Outcome
    for_client: str
    for_engineer: str
    fields: tuple[str, ...] = ()
    steps: tuple[int, ...] = ()
    cause: str = ""
    required: bool = True
    retry: bool = False


class Report(BaseModel):
    """All checks of one verification, in order."""

    model_config = ConfigDict(frozen=True)

    checks: tuple[Check, ...]
    started_at: AwareDatetime
    duration_ms: int
    environment: str

    @property
    def outcome(self) -> Outcome:
        """Failed if any check failed; passed if all required ones passed; else unknown."""
        if self.failed:
            return Outcome.FAILED
        required = [check.outcome for check in self.checks if check.required]
        if required and all(outcome is Outcome.PASSED for outcome in required):
            return Outcome.PASSED
        return Outcome.UNKNOWN

    @property
    def is_verdict(self) -> bool:
        """Whether it says that the credentials work, or that they don't."""
        return self.outcome in (Outcome.PASSED, Outcome.FAILED)

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.outcome is Outcome.FAILED)

    @property
    def fields(self) -> tuple[str, ...]:
        """The credentials to enter again, each once, in the order of the checks."""
        return tuple(dict.fromkeys(field for check in self.failed for field in check.fields))

    @property
    def steps(self) -> tuple[int, ...]:
        """The guide's steps to repeat, each once, in the order of the guide."""
        return tuple(sorted({step for check in self.failed for step in check.steps}))

    @property
    def causes(self) -> tuple[str, ...]:
        """The names of what is wrong, each once, in the order of the checks."""
        return tuple(dict.fromkeys(check.cause for check in self.failed))

    @property
    def retry(self) -> bool:
        """Whether to try the same credentials again later."""
        return self.outcome is Outcome.UNKNOWN and any(check.retry for check in self.checks)
