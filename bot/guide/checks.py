"""How a guide's credentials are verified, and what to say of each problem, as a guide declares it.

The code knows what each cause of a failure means; the guide knows its words, the credentials to
enter again, and the steps to repeat, which it names by their keys: `{step.sign_in}` in a text is
the number of that step.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
# A location in the file, as pydantic gives locations.
Where = tuple[str | int, ...]
_STEP = re.compile(r"\{step\.(\w+)\}")
_GAP = re.compile(r"\{([^{}]*)\}")


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def __hash__(self) -> int:  # a mapping has none
        return hash(type(self))


class Remedy(_Declared):
    """What to do about a problem: a text, credentials to enter again, steps to repeat."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    fields: tuple[str, ...] = ()
    steps: tuple[Key, ...] = ()

    @property
    def named_steps(self) -> tuple[str, ...]:
        """The keys of all steps that it names."""
        return (*self.steps, *_STEP.findall(self.text))

    @property
    def gaps(self) -> set[str]:
        """What its text leaves to be filled in, apart from steps."""
        return {gap for gap in _GAP.findall(self.text) if not gap.startswith("step.")}


def with_steps(text: str, numbers: Mapping[str, int]) -> str:
    """Return a text with the numbers of the steps that it names; “–” for unknown ones."""
    return _STEP.sub(lambda found: str(numbers.get(found[1], "–")), text)


# What can be wrong that somebody can fix, as bot/verification/diagnosis.py finds it.
Cause = Literal[
    "malformed",
    "invalid_client",
    "other_environment",
    "client_mismatch",
    "tenant_mismatch",
    "scopes_missing",
    "tag_not_found",
    "tag_inactive",
    "application_key_refused",
    "application_key_foreign",
    "application_key_or_tenant",
    "tenant_not_found",
    "provider_refused",
    "provider_not_found",
]
CAUSES: tuple[Cause, ...] = get_args(Cause)
# What the code fills in, by the cause of the problem.
GAPS: Mapping[Cause, set[str]] = {
    "malformed": {"problems"},
    "other_environment": {"other", "here"},
    "scopes_missing": {"missing"},
}


def _all_causes(remedies: dict[Cause, Remedy]) -> dict[Cause, Remedy]:
    if missing := [cause for cause in CAUSES if cause not in remedies]:
        raise ValueError(f"nothing is said of {', '.join(missing)}")
    return remedies


class ServiceTitanChecks(_Declared):
    """The five credentials are checked with ServiceTitan, as bot/verification/checks.py does."""

    by: Literal["servicetitan"]
    remedies: Annotated[dict[Cause, Remedy], AfterValidator(_all_causes)]

    def remedy(self, cause: str) -> Remedy | None:
        """Return the remedy for `cause`; None if the words for it are not the guide's."""
        return next((one for name, one in self.remedies.items() if name == cause), None)

    def placed_remedies(self) -> Iterator[tuple[Where, Remedy, set[str]]]:
        """Yield where each remedy is, the remedy, and what its text may leave to be filled in."""
        for cause, remedy in self.remedies.items():
            yield ("remedies", cause), remedy, GAPS.get(cause, set())


class NoChecks(_Declared):
    """Nothing is verified: the onboarding is complete with its last step."""

    by: Literal["none"]

    def remedy(self, _cause: str) -> Remedy | None:
        """Return None."""
        return None

    def placed_remedies(self) -> Iterator[tuple[Where, Remedy, set[str]]]:
        """Yield nothing."""
        yield from ()


Checks = Annotated[ServiceTitanChecks | NoChecks, Field(discriminator="by")]
