"""A guide cut into passages: the pieces of its own text that can answer a question. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from bot.guide import Guide, Phase, Step, Table
from bot.guide.credential_fields import CredentialField


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of the guide's text.

    `id` is the same in every process, so it can be stored. `steps` are the steps that it belongs
    to, the nearest first; none where it is about the whole guide. `around` is the text near it
    in the guide, which helps to find the passage but isn't part of the answer.
    """

    id: str
    title: str
    text: str
    steps: tuple[int, ...] = ()
    around: str = field(default="", repr=False)

    @property
    def step(self) -> int | None:
        """The step that the passage comes from; None where it is about the whole guide."""
        return self.steps[0] if self.steps else None


def passage(guide: Guide, passage_id: str) -> Passage | None:
    """Return the passage with this id; None where this version of the guide has none."""
    return next((found for found in passages(guide) if found.id == passage_id), None)


@lru_cache(maxsize=8)
def passages(guide: Guide) -> tuple[Passage, ...]:
    return (
        *_general(guide),
        *(found for phase in guide.phases for found in _of_phase(phase)),
        *(_of_credential(credential) for credential in guide.credentials),
        *(
            Passage(f"trouble:{number}", "Troubleshooting", trouble.text, trouble.steps)
            for number, trouble in enumerate(guide.troubleshooting, start=1)
        ),
    )


def _general(guide: Guide) -> Iterator[Passage]:
    if guide.overview:
        yield Passage("overview", "Overview", "\n".join(guide.overview))
    needed = "\n".join([guide.prerequisites_intro, *map(_bullet, guide.prerequisites)])
    yield Passage("prerequisites", "Prerequisites", needed)
    yield Passage("support", "Support", guide.support)
    if guide.credentials:
        rows = [
            f"{each.label}: {each.source}. Goes to {each.destination}" for each in guide.credentials
        ]
        text = "\n".join([guide.reference_intro, *map(_bullet, rows)])
        yield Passage("reference", "Credential Reference", text)


def _of_phase(phase: Phase) -> Iterator[Passage]:
    around = f"{phase.title} {phase.subtitle}"
    if phase.intro:
        steps = tuple(step.number for step in phase.steps)
        yield Passage(f"phase:{phase.number}", phase.title, phase.intro, steps, phase.subtitle)
    for step in phase.steps:
        yield from _of_step(step, around)


def _of_step(step: Step, around: str) -> Iterator[Passage]:
    own = [step.figure.caption] if step.figure else []
    own += [option.label for option in step.options]
    for name, text in _texts(step):
        near = " ".join([around, *own]) if name == "body" else around
        yield Passage(f"step:{step.number}:{name}", step.title, text, (step.number,), near)


def _texts(step: Step) -> Iterator[tuple[str, str]]:
    yield "body", "\n".join([step.paragraph, *map(_bullet, step.items)])
    for number, table in enumerate(step.tables, start=1):
        yield f"table:{number}", _table(table)
    for number, note in enumerate(step.notes, start=1):
        yield f"note:{number}", note
    for number, tip in enumerate((*step.tips, *step.if_stuck), start=1):
        yield f"tip:{number}", tip
    if step.figure and step.figure.shows:
        yield "figure", step.figure.shows


def _table(table: Table) -> str:
    rows = [_bullet(f"{name}: {value}") for name, value in table.rows]
    return "\n".join([table.intro, *rows] if table.intro else rows)


def _of_credential(credential: CredentialField) -> Passage:
    text = "\n".join(
        [
            f"{credential.source}. The {credential.label} {credential.looks_like}.",
            f"HeavySet Tech Destination: {credential.destination}",
        ]
    )
    return Passage(f"credential:{credential.id}", credential.label, text, (credential.step,))


def _bullet(line: str) -> str:
    return f"• {line}"
