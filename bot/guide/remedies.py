"""What a guide says about a problem that a check found. Pure.

It names the guide's steps by their keys: `{step.sign_in}` in a text is the number of that step.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import StringConstraints

from bot.guide.credential_fields import Part

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
# A location in the file, as pydantic gives locations.
Where = tuple[str | int, ...]
GAP = re.compile(r"\{([^{}]*)\}")
_ASIDE = re.compile(r" \(step \{step\.(\w+)\}\)")
STEP = re.compile(r"\{step\.(\w+)\}")


class Remedy(Part):
    """What to do about a problem: a text, credentials to enter again, steps to repeat.

    `ours`: it is for HeavySet to fix, so the check stays open.
    """

    text: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    fields: tuple[str, ...] = ()
    steps: tuple[Key, ...] = ()
    ours: bool = False


class AnyChecks(Part):
    """What all kinds of checks have in common; the base has no remedies and no fields."""

    def remedy(self, cause: str) -> Remedy | None:
        """Return the remedy for `cause`; None if the guide has no words for it."""
        return next((one for _, its, one in self.placed_remedies() if its == cause), None)

    def placed_remedies(self) -> Iterator[tuple[Where, str, Remedy]]:
        """Yield each remedy with its place in the file, and its cause."""
        yield from ()

    def placed_fields(self) -> Iterator[tuple[Where, str]]:
        """Yield where the guide says that a credential is used, and its name."""
        yield from ()


def with_steps(text: str, numbers: Mapping[str, int]) -> str:
    """Return a text with the numbers of the steps that it names; “–” for unknown ones.

    A parenthesis that only names an unknown step is left out.
    """
    text = _ASIDE.sub(lambda found: found[0] if found[1] in numbers else "", text)
    return STEP.sub(lambda found: str(numbers.get(found[1], "–")), text)
