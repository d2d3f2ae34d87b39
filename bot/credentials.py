"""The credential fields: cleaning what was pasted, shapes, mix-ups, masks. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

QUOTES = "\"'`“”‘’«»"
LONGEST = 500


def _regex(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"this is no regular expression: {error}") from error
    return pattern


Regex = Annotated[str, AfterValidator(_regex)]


class CredentialField(BaseModel):
    """One value that the guide asks for, and how it looks.

    `prefix` and `usual` are regular expressions. `prefix` tells the fields apart, so a value in
    the wrong field can be named. `usual` is how the values seen in the wild look: ServiceTitan
    promises none of it, so another shape only earns a warning.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

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
    telltale: Regex = ""  # finds such a value in a message; only for what must stay secret


class Severity(StrEnum):
    """How sure we are that a value is wrong."""

    ERROR = "error"  # it cannot be right
    WARNING = "warning"  # it looks unusual; the person may confirm it


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the value of one field, in words that never repeat the value."""

    severity: Severity
    text: str


def mask(value: str) -> str:
    """Return what may be shown of `value`: its last four characters, fewer of a short value."""
    shown = 4 if len(value) >= 8 else 2 if len(value) >= 5 else 0
    return "••••" + value[len(value) - shown :]


def check(fields: Sequence[CredentialField], values: Mapping[str, str]) -> dict[str, Problem]:
    """Check cleaned `values` (by field id) on their own and against each other.

    `fields` are all fields of the guide; `values` may hold some of them. Returns a problem for
    each field that has one; an error hides a warning.
    """
    known = {field.id: field for field in fields}
    found = {
        name: problem
        for name, value in values.items()
        if (problem := _check_one(known[name], value, fields))
    }
    return _equal_values(known, values) | found


def _check_one(
    field: CredentialField, value: str, fields: Sequence[CredentialField]
) -> Problem | None:
    for error in (_pasted_along, _stray_characters, _other_field, _not_a_number, _length):
        if text := error(field, value, fields):
            return Problem(Severity.ERROR, text)
    if field.usual and not re.fullmatch(field.usual, value):
        return Problem(
            Severity.WARNING,
            f"Unusual for the {field.label}, which {field.looks_like}. Is it right?",
        )
    return None


def _pasted_along(
    field: CredentialField, value: str, fields: Sequence[CredentialField]
) -> str | None:
    for other in fields:
        if re.match(rf"{re.escape(other.label)}\b\s*[:=]?", value, re.IGNORECASE):
            return f"The label “{other.label}” was copied along. Paste only what stands after it."
    if value[:1] in QUOTES or value[-1:] in QUOTES:
        return f"Quotation marks were copied along. Paste only the {field.label} itself."
    return None


def _stray_characters(
    field: CredentialField, value: str, _fields: Sequence[CredentialField]
) -> str | None:
    if re.search(r"\s", value):
        return f"There is a space or line break inside. The {field.label} has none: copy it again."
    if not value.isascii() or not value.isprintable():
        return f"There is a character inside that no {field.label} has. Copy it again."
    return None


def _other_field(
    field: CredentialField, value: str, fields: Sequence[CredentialField]
) -> str | None:
    if field.prefix and re.match(field.prefix, value):
        return None
    for other in fields:
        if other.prefix and (found := re.match(other.prefix, value)):
            return (
                f"This is the {other.label} (it starts with “{found[0]}”), not the {field.label}. "
                f"The {field.label} {field.looks_like}."
            )
    return None


def _not_a_number(
    field: CredentialField, value: str, _fields: Sequence[CredentialField]
) -> str | None:
    if field.digits and not value.isdigit():
        return (
            f"The {field.label} is a number, and this has other characters in it. "
            f"Copy the number, not a name. You find it here: {field.source}."
        )
    return None


def _length(field: CredentialField, value: str, _fields: Sequence[CredentialField]) -> str | None:
    if len(value) < field.min_length:
        return (
            f"Too short: only {len(value)} characters, and the {field.label} {field.looks_like}. "
            "It may have been cut off: copy it again."
        )
    if len(value) > LONGEST:
        return f"Too long for the {field.label}: {len(value)} characters. Copy it again."
    return None


def _equal_values(
    known: Mapping[str, CredentialField], values: Mapping[str, str]
) -> dict[str, Problem]:
    found = {}
    names = list(values)
    for position, name in enumerate(names):
        for earlier in names[:position]:
            if values[name] == values[earlier]:
                text = (
                    f"This is the same value as the {known[earlier].label}. "
                    f"You find the {known[name].label} here: {known[name].source}."
                )
                found[name] = Problem(Severity.ERROR, text)
    return found
