"""What people type in the thread, and what becomes of it: `make answers` measures it."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.guide import Guide
from bot.guide.answers import Intent, Meaning, understand

MESSAGES = Path(__file__).with_name("typed_messages.toml")
# The parts but the first were written apart from the code; it is fitted to the first.
PARTS = ("tuning", "held_out", "second", "third")
# What hands a message over, to the guide or to the engineer.
HANDED_OVER = (Meaning.TROUBLE, Meaning.QUESTION)


@dataclass(frozen=True)
class Typed:
    """A message of the client's side, what it means, and what would do as well."""

    text: str
    wanted: str
    may: tuple[str, ...]
    step: int


@dataclass(frozen=True)
class Read:
    """A message, and what it was taken for."""

    typed: Typed
    got: Intent

    @property
    def meaning(self) -> str:
        """What it was taken for, as the corpus writes it."""
        chosen = f":{self.got.words}" if self.got.meaning is Meaning.CHOOSE else ""
        return f"{self.got.meaning.value}{chosen}"

    @property
    def outcome(self) -> str:
        """One of right, asked (privately, what was meant), silent, handed over, wrong."""
        if self.meaning in (self.typed.wanted, *self.typed.may):
            return "right"
        if self.got.meaning is Meaning.NEAR:
            return "asked"
        if self.got.meaning is Meaning.NOTHING:
            return "silent"
        return "handed over" if self.got.meaning in HANDED_OVER else "wrong"


def typed(part: str) -> Iterator[Typed]:
    """Yield the messages of one of the `PARTS`, as the client's side types them."""
    groups = tomllib.loads(MESSAGES.read_text(encoding="utf-8"))["group"]
    for group in groups:
        if group.get("part", "tuning") == part and "client" in group:
            for text in group["messages"]:
                may = tuple(group.get("may", ()))
                yield Typed(text, group["client"], may, group["step"])


def read(guide: Guide, part: str) -> list[Read]:
    """Read every message of a part."""
    return [
        Read(message, understand(guide, message.text, guide.step(message.step)))
        for message in typed(part)
    ]


def rates(found: list[Read], *, must: bool) -> dict[str, float]:
    """Return the share of each outcome among those that must do something, or must not."""
    of = [result for result in found if (result.typed.wanted != "nothing") is must]
    return {
        name: count / len(of) for name, count in Counter(result.outcome for result in of).items()
    }
