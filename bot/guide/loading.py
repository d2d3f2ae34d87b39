"""Loads a guide file; errors name the line."""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from bot.guide.model import Guide

SERVICETITAN = Path(__file__).with_name("servicetitan.toml")
Where = tuple[str | int, ...]


class GuideError(ValueError):
    """A broken guide file; the text has one line per problem: `file:line: problem`."""


def load(path: Path = SERVICETITAN) -> Guide:
    """Load the guide in `path`; raises GuideError if it is broken."""
    return parse(path.read_text(encoding="utf-8"), path.name)


def parse(source: str, name: str) -> Guide:
    """Return the guide in TOML text; raises GuideError, which calls the file `name`."""
    try:
        guide = Guide.model_validate(tomllib.loads(source))
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        line = at[1] if at else source.count("\n") + 1
        raise GuideError(f"{name}:{line}: {error}") from error
    except ValidationError as error:
        raise GuideError(
            _report(source, name, ((problem["loc"], problem["msg"]) for problem in error.errors()))
        ) from error
    if problems := _report(source, name, guide.problems()):
        raise GuideError(problems)
    return guide


def _report(source: str, name: str, problems: Iterable[tuple[Where, str]]) -> str:
    return "\n".join(
        f"{name}:{_line_of(source, where)}: {'.'.join(map(str, where))}: {problem}"
        for where, problem in problems
    )


def _line_of(source: str, where: Where) -> int:
    """Return the line that comes closest to `where`; tomllib keeps no positions."""
    best, best_length = 1, 0
    counts: dict[Where, int] = {}
    table: Where = ()
    for number, line in enumerate(source.splitlines(), start=1):
        here: Where | None = None
        if header := re.fullmatch(r"\s*\[(\[?)([\w.]+)\]?\]\s*(#.*)?", line):
            here = table = _enter(counts, header[2].split("."), array=bool(header[1]))
        elif key := re.match(r"\s*(\w+)\s*=", line):
            here = (*table, key[1])
        if here and len(here) > best_length and where[: len(here)] == here:
            best, best_length = number, len(here)
    return best


def _enter(counts: dict[Where, int], names: list[str], *, array: bool) -> Where:
    """Return the path of the table that starts here; in an array, it is the next one."""
    own: Where = ()
    for name in names:
        parent = (*own, counts[own]) if own in counts else own
        own = (*parent, name)
    if not array:
        return own
    counts[own] = counts.get(own, -1) + 1
    return (*own, counts[own])
