"""The credentials that a guide asks for: where each is found, what it looks like, its mask."""

import re
from typing import Annotated

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, StringConstraints

LONGEST = 500


def _regex(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"this isn't a regular expression: {error}") from error
    return pattern


Regex = Annotated[str, AfterValidator(_regex)]


class Part(BaseModel):
    """The base of a guide's parts: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Lookalike(Part):
    """Something shown nearby that is often copied instead; `text` names it."""

    pattern: Regex
    text: Annotated[str, StringConstraints(min_length=1, max_length=250)]


class CredentialField(Part):
    """A credential that the guide asks for, and its shape.

    `prefix` and `usual` are regular expressions. `prefix` identifies the field, so that a value in
    the wrong field can be named. `usual` is the shape of known values: ServiceTitan documents none,
    so another shape only gives a warning.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]*$", max_length=60)]
    label: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    source: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    destination: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    step: int
    digits: bool = False
    min_length: int = Field(default=1, ge=1)
    looks_like: Annotated[str, StringConstraints(min_length=1, max_length=150)]
    prefix: Regex = ""
    usual: Regex = ""
    lookalikes: tuple[Lookalike, ...] = ()
    # Finds such a value in a message; only for what must stay secret. Guides stored by earlier
    # releases call it `telltale`.
    secret_pattern: Regex = Field(
        default="", validation_alias=AliasChoices("secret_pattern", "telltale")
    )

    @property
    def is_secret(self) -> bool:
        return bool(self.secret_pattern)


def mask(value: str) -> str:
    """Return what may be shown of `value`: its last four characters, or fewer if it is short."""
    shown = 4 if len(value) >= 8 else 2 if len(value) >= 5 else 0
    return "••••" + value[len(value) - shown :]


def ending(mask: str) -> str:
    """Return a mask in words, which a screen reader can read: `ending in 1928`."""
    shown = mask.lstrip("•")
    return f"ending in {shown}" if shown else "(too short to show a part)"
