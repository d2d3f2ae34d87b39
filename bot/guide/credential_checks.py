"""What is wrong with an entered credential: shapes, mix-ups, values pasted twice. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from bot.guide.credential_fields import LONGEST, CredentialField

QUOTES = "\"'`“”‘’«»„"
# No known value begins or ends with any of these.
AROUND = QUOTES + " .,:;!?()[]{}<>*•·_~|/\\=&#…–—-"
MOST_SIGNS = 3  # of those around a value that an error quotes
# TWICE: surely pasted twice, with a separator, or too long for a coincidence. DOUBLED: perhaps.
TWICE = re.compile(r"(\S{3,}?)(?:[\s,;|/]+\1)+|(.{6,}?)\2+", re.DOTALL)
DOUBLED = re.compile(r"(.{3,})\1")
PLACEHOLDER = re.compile(
    r"(?:your|my|the|insert|paste|enter)\b.*|n/?a|none|null|undefined|tbd|todo|test|example|placeholder"
    r"|unknown|x{3,}|\?+|-+|(?:[a-z]+\d*\.)?x{8,}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a value, in a text that does not contain it.

    If it isn't certain, the value only looks unusual, and the person may confirm it.
    """

    text: str
    is_certain: bool = True


def check(
    fields: Sequence[CredentialField],
    values: Mapping[str, str],
    stored: Mapping[str, str] | None = None,
) -> dict[str, Problem]:
    """Check cleaned `values`, by field id, on their own and against each other.

    `fields` are all fields of the guide; `values` may be some of them. `stored` maps a field of
    `values` to the other field that has the same value on file. Returns a problem for each field
    that has one; a certain one hides the others.
    """
    known = {field.id: field for field in fields}
    found = {
        name: problem
        for name, value in values.items()
        if (problem := _check_one(known[name], value, fields))
    }
    return found | _equal_values(known, values, stored or {})


def _check_one(
    field: CredentialField, value: str, fields: Sequence[CredentialField]
) -> Problem | None:
    errors = (
        _other_field(field, value, fields),
        _pasted_along(value, fields),
        _pasted_twice(field, value),
        _around(field, value),
        _something_else(field, value),
        _stray_characters(field, value),
        _not_a_number(field, value),
        _length(field, value),
    )
    if error := next(filter(None, errors), None):
        return Problem(error)
    if DOUBLED.fullmatch(value):
        text = f"This looks as if the {field.label} was pasted twice. Is it right?"
        return Problem(text, is_certain=False)
    if field.usual and not re.fullmatch(field.usual, value):
        return Problem(_unusual(field, value), is_certain=False)
    return None


def _other_field(
    field: CredentialField, value: str, fields: Sequence[CredentialField]
) -> str | None:
    """Name the field that the value belongs to, if it is another one."""
    core = value.strip(AROUND)
    if field.prefix and re.match(field.prefix, core, re.IGNORECASE):
        return None
    for other in fields:
        if other.prefix and (found := re.match(other.prefix, core, re.IGNORECASE)):
            return (
                f"That's the {other.label} (it starts with “{found[0]}”). "
                f"The {field.label} {field.looks_like}."
            )
    numbers = [
        other.label
        for other in fields
        if other.digits and other.min_length <= len(core) and re.fullmatch(other.usual, core)
    ]
    if not field.digits and core.isascii() and core.isdigit() and numbers:
        return (
            f"That's a number, like the {' or the '.join(numbers)}. "
            f"The {field.label} {field.looks_like}."
        )
    for one in field.lookalikes:
        if re.fullmatch(one.pattern, core):
            return one.text
    return None


def _pasted_along(value: str, fields: Sequence[CredentialField]) -> str | None:
    for other in fields:
        # client_secret=…, ClientSecret:
        label = r"[\s_-]*".join(map(re.escape, other.label.split()))
        if re.match(rf"\W*{label}\b\W*", value, re.IGNORECASE):
            return f"The label “{other.label}” got copied too. Paste only what comes after it."
    return None


def _pasted_twice(field: CredentialField, value: str) -> str | None:
    found = TWICE.fullmatch(value)
    if found is None or len(set(found[1] or found[2])) == 1:
        return None
    return f"The {field.label} was pasted twice. Paste it once."


def _around(field: CredentialField, value: str) -> str | None:
    """Name what was copied along at either end, if it is certainly not part of the value."""
    if value[:1] in QUOTES or value[-1:] in QUOTES:
        return f"Quotation marks got copied too. Paste just the {field.label}."
    core = value.strip(AROUND)
    if core != value and (
        re.fullmatch(field.usual or ".+", core) or (field.digits and core.isdigit())
    ):
        return f"{_ends(value)} Paste just the {field.label}."
    return None


def _ends(value: str) -> str:
    """Name the punctuation around a value."""
    core = value.strip(AROUND)
    before, after = value[: value.index(core)], value[value.index(core) + len(core) :]
    places = [
        f"“{signs.strip()[:MOST_SIGNS]}” at the {where}"
        for signs, where in ((before, "start"), (after, "end"))
        if signs.strip()
    ]
    return f"There's a {' and a '.join(places)}."


def _something_else(field: CredentialField, value: str) -> str | None:
    if re.match(r"(?:https?://|www\.)", value, re.IGNORECASE):
        return f"That's a web address. The {field.label} {field.looks_like}."
    if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
        return f"That's an email address. The {field.label} {field.looks_like}."
    if re.search(r"[*•●]{3}|\.{3}", value):
        return f"Part of it is hidden. Please show the whole {field.label} and copy that."
    if PLACEHOLDER.fullmatch(value.strip("<>[]{} ")):
        return f"That's only a placeholder. You'll find the {field.label} here: {field.source}."
    return None


def _stray_characters(field: CredentialField, value: str) -> str | None:
    if field.digits and re.search(r"[A-Za-z]", value):
        return (
            f"The {field.label} is digits only. Copy the number, not a name. "
            f"You'll find it here: {field.source}."
        )
    if re.search(r"\s", value):
        return f"There's a space or line break in it. Take it out, or copy the {field.label} again."
    if not value.isascii() or not value.isprintable():
        return (
            f"There's a character in it that doesn't belong. Please copy the {field.label} again."
        )
    return None


def _not_a_number(field: CredentialField, value: str) -> str | None:
    if not field.digits:
        return None
    if sign := re.search(r"\D", value):
        return (
            f"The {field.label} is digits only: leave out the “{sign[0]}”. "
            f"You'll find it here: {field.source}."
        )
    if value.startswith("0"):
        return f"The {field.label} doesn't start with a zero. Please copy it again."
    return None


def _length(field: CredentialField, value: str) -> str | None:
    if len(value) < field.min_length:
        return (
            f"Too short ({len(value)} characters). The {field.label} {field.looks_like}. "
            "It may have been cut off; please copy it again."
        )
    if len(value) > LONGEST:
        return f"Too long for the {field.label} ({len(value)} characters). Please copy it again."
    return None


def _unusual(field: CredentialField, value: str) -> str:
    if field.usual and re.fullmatch(field.usual, value.lower()):
        return f"There are capital letters in it; the {field.label} usually has none. Is it right?"
    if (core := value.strip(AROUND)) and core != value:
        return f"{_ends(value)} Is that a part of the {field.label}, which {field.looks_like}?"
    return f"This doesn't look like a typical {field.label}, which {field.looks_like}. Is it right?"


def _equal_values(
    known: Mapping[str, CredentialField], values: Mapping[str, str], stored: Mapping[str, str]
) -> dict[str, Problem]:
    """Return problems of equal values, at the field that the value fits less."""
    same = dict(stored)
    for earlier, later in combinations(values, 2):
        if (value := values[earlier]) == values[later]:
            moved = _fits(known[later], value) and not _fits(known[earlier], value)
            wrong, right = (earlier, later) if moved else (later, earlier)
            same[wrong] = right
    return {
        wrong: Problem(
            f"This is the same as the {known[right].label}. "
            f"You'll find the {known[wrong].label} here: {known[wrong].source}.",
        )
        for wrong, right in same.items()
        if wrong in values
    }


def _fits(field: CredentialField, value: str) -> bool:
    return bool(field.usual) and re.fullmatch(field.usual, value) is not None
