"""A query for `status`, as typed and in the buttons that turn pages."""

import re
from dataclasses import dataclass

PAGE = 10

# `all`, perhaps with part of a name; “All-Star Plumbing” is a name.
ALL = re.compile(r"\W*all[^\w\s]*(?:\s+(?P<name>.*)|$)", re.IGNORECASE | re.DOTALL)


MINE, STUCK = "mine", "stuck"


@dataclass(frozen=True, slots=True)
class StatusQuery:
    """A query: part of a client's name, `all`, both, or nothing; and the page."""

    words: str = ""
    page: int = 1

    @property
    def name(self) -> str:
        found = ALL.fullmatch(self.words)
        named = found["name"] or "" if found else self.words
        return "" if self.filter else named

    @property
    def filter(self) -> str:
        """`mine` or `stuck`, if that is all that was typed."""
        word = re.sub(r"\W", "", self.words).casefold()
        return word if word in (MINE, STUCK) else ""

    @property
    def everything(self) -> bool:
        """Whether finished onboardings are included."""
        return ALL.fullmatch(self.words) is not None

    def __str__(self) -> str:
        return f"{self.page}:{self.words}"

    @classmethod
    def parse(cls, value: str) -> "StatusQuery":
        """Read a button's value; anything that is not ours means the first page."""
        page, _, words = value.partition(":")
        return cls(words, int(page)) if page.isdecimal() and 0 < len(page) < 7 else cls()
