"""The parts of a guide. Their lengths keep every message within Slack's Block Kit limits."""

import re
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from bot.guide.checks import Checks, NoChecks
from bot.guide.credential_fields import CredentialField, Part
from bot.guide.remedies import Key

# Slack: a section's text has at most 3,000 characters, a header 150, ten fields of 2,000, a button
# 75 (docs.slack.dev, Block Kit reference). Escaping and our own text need some room.
Title = Annotated[str, StringConstraints(min_length=1, max_length=110)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=300)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=60)]


def _address(value: str) -> str:
    if not re.fullmatch(r"https://[^\s/]+/\S{1,2900}", value):
        raise ValueError("must be an https address, such as https://example.com/step-03.png")
    return value


Address = Annotated[str, AfterValidator(_address)]


class Owner(StrEnum):
    """The side that does a phase."""

    CLIENT = "client"
    HEAVYSET = "heavyset"


class Blank(StrEnum):
    """What the written guide leaves open, and `Blanks` fills."""

    EMAIL = "email"
    DESCRIPTION = "description"


class Blanks(Part):
    """What fills the blanks; without an address, the client gets one from the engineer."""

    email: str = ""
    description: Line = ""


class Table(Part):
    """Names and values to copy, such as the fields of a form."""

    intro: Text | None = None
    # Rows whose value people paste, and rows with a blank that the settings fill: by their names.
    copied: tuple[Label, ...] = ()
    blanks: tuple[tuple[Label, Blank], ...] = ()
    rows: Annotated[tuple[tuple[Label, Line], ...], Field(min_length=1, max_length=10)]


class Figure(Part):
    """A picture of the written guide, described in words; `image` is where Slack gets one."""

    number: int
    caption: Line
    shows: Text | None = None
    image: Address | None = None


class Option(Part):
    """One answer to a step's question, with the steps that it makes unnecessary.

    `said` are the words that people use for it, apart from its id.
    """

    id: Key
    label: Label
    said: str = ""
    skips: tuple[int, ...] = ()


def _each_once(options: tuple[Option, ...]) -> tuple[Option, ...]:
    if len({option.id for option in options}) < len(options):
        raise ValueError("two answers have the same id")
    return options


class Choice(Part):
    """A question; answering it finishes the step."""

    question: Line
    options: Annotated[tuple[Option, ...], Field(min_length=1), AfterValidator(_each_once)]


class Step(Part):
    """A step. `verifies` marks the one that the verification finishes.

    `more` continues `body`; it and `if_stuck` are shown to people who need help.
    """

    number: int
    key: Key | Literal[""] = ""  # names it in the checks
    title: Title
    short: Line | None = None
    body: Text
    more: Text | None = None
    items: tuple[Line, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[Text, ...] = ()
    tips: tuple[Line, ...] = ()
    if_stuck: tuple[Line, ...] = ()
    figure: Figure | None = None
    credentials: tuple[str, ...] = ()
    reveals: tuple[str, ...] = ()
    choice: Choice | None = None
    verifies: bool = False

    @property
    def paragraph(self) -> str:
        """Everything that the written guide says to do."""
        return f"{self.body} {self.more}" if self.more else self.body

    @property
    def options(self) -> tuple[Option, ...]:
        """The answers to its question, none if it asks nothing."""
        return self.choice.options if self.choice else ()

    def option(self, option_id: str | None) -> Option | None:
        return next((option for option in self.options if option.id == option_id), None)


class Phase(Part):
    """Steps that belong together and are done by one side."""

    number: int
    title: Title
    subtitle: Line
    owner: Owner = Owner.CLIENT
    target_days: Annotated[int, Field(ge=1, le=365)] | None = None  # business days
    intro: Text | None = None
    steps: tuple[Step, ...]


class Trouble(Part):
    """A troubleshooting entry, with the steps where it helps."""

    text: Text
    steps: tuple[int, ...]


class Guide(Part):
    """A guide. An onboarding keeps the `version` that it started with."""

    id: Key
    version: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    updated: Label
    platform: Label  # whose screens the guide leads through
    title: Label  # heads the root message, with the client's name
    subtitle: Line
    audience: Line
    overview: tuple[Text, ...]
    prerequisites_intro: Text
    prerequisites: tuple[Line, ...]
    reference_intro: Text
    support: Text
    phases: tuple[Phase, ...]
    credentials: tuple[CredentialField, ...]
    troubleshooting: tuple[Trouble, ...]
    blanks: Blanks = Blanks()
    checks: Checks = NoChecks(by="none")
    # How people ask for a passage, by its id.
    asked: dict[str, str] = Field(default_factory=dict)

    def __hash__(self) -> int:  # mappings have none
        return hash((self.id, self.version))

    def filled(self, *, email: str | None, description: str | None) -> "Guide":
        """Return the guide with its blanks filled; None leaves what the guide's file says."""
        wanted = {"email": email, "description": description}
        given = {name: value for name, value in wanted.items() if value is not None}
        return self.model_copy(update={"blanks": self.blanks.model_copy(update=given)})

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return tuple(step for phase in self.phases for step in phase.steps)

    def step(self, number: int) -> Step:
        """Return step `number`; raises KeyError."""
        return self._places[number][1]

    @property
    def is_checked(self) -> bool:
        """Whether the credentials are verified at all."""
        return self.checks.by != "none"

    @property
    def needs_our_key(self) -> bool:
        """Whether ServiceTitan's Application Key is HeavySet's own: the guide asks for none."""
        return self.checks.by == "servicetitan" and "application_key" not in self.field_ids

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The numbers of the steps that have a key."""
        return {step.key: step.number for step in self.steps if step.key}

    def phase_of(self, number: int) -> Phase:
        """Return the phase of step `number`; raises KeyError."""
        return self._places[number][0]

    @cached_property
    def _places(self) -> dict[int, tuple[Phase, Step]]:
        return {step.number: (phase, step) for phase in self.phases for step in phase.steps}

    @cached_property
    def field_ids(self) -> tuple[str, ...]:
        return tuple(field.id for field in self.credentials)

    def field(self, name: str) -> CredentialField:
        """Return the credential field `name`; raises KeyError."""
        for field in self.credentials:
            if field.id == name:
                return field
        raise KeyError(name)

    def trouble_at(self, number: int) -> list[str]:
        return [trouble.text for trouble in self.troubleshooting if number in trouble.steps]

    @cached_property
    def last_credential_step(self) -> int:
        """The last step that asks for credentials: by then, the guide has shown all of them."""
        return max((step.number for step in self.steps if step.credentials), default=0)
