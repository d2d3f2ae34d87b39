"""What people type in the thread, and what becomes of it: `make answers` measures it."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.guide import Guide
from bot.guide.answers import Intent, Meaning, understand

MESSAGES = Path(__file__).with_name("typed_messages.toml")
# The code is tuned to the first part; the others were written independently of it.
PARTS = ("tuning", "held_out", "second", "third")
# What hands a message over, to the guide or to the engineer.
HANDED_OVER = (Meaning.TROUBLE, Meaning.QUESTION)


@dataclass(frozen=True)
class Typed:
    """A message from the client, what it means, and what else is acceptable."""

    text: str
    wanted: str
    may: tuple[str, ...]
    step: int


@dataclass(frozen=True)
class Read:
    """A message, and how it was understood."""

    typed: Typed
    got: Intent

    @property
    def meaning(self) -> str:
        """How it was understood, in the notation of the corpus."""
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
