"""Loads a guide file; errors name the line."""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from bot.guide.model import Guide
from bot.guide.problems import Problem, problems
from bot.guide.remedies import Where

FOLDER = Path(__file__).with_name("guides")
SERVICETITAN = FOLDER / "servicetitan" / "guide.toml"
# A guide's files, in this order: its text, how it is checked, how people ask. Only the first must
# be there. They are kept as one text, each under a line that names it.
FILES = ("guide.toml", "checks.toml", "asked.toml")
_FILE = re.compile(r"# {4}(\w+\.toml) {4}#")


class GuideError(ValueError):
    """A broken guide; the text has one line per problem: `file:line: problem`."""


def load(path: Path = SERVICETITAN) -> Guide:
    """Load the guide in `path`; raises GuideError if it is broken."""
    return parse(source_of(path), name_of(path))


def name_of(path: Path) -> str:
    """Return what errors call a guide's file: with its folder, as every one is a `guide.toml`."""
    return f"{path.parent.name}/{path.name}" if path.name == FILES[0] else path.name


def files_in(folder: Path) -> list[Path]:
    """Return the `guide.toml` of each guide in `folder`, ours first."""
    return sorted(folder.glob(f"*/{FILES[0]}"), key=lambda path: (path != SERVICETITAN, path))


def source_of(path: Path) -> str:
    """Return the text of the guide in a file; for a `guide.toml`, with the files beside it.

    Raises GuideError if a file can't be read.
    """
    if path.name != FILES[0]:
        return _read(path)
    others = [path.with_name(name) for name in FILES[1:]]
    texts = [f"#    {one.name}    #\n{_read(one)}" for one in others if one.exists()]
    return "\n".join([_read(path), *texts])


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise GuideError(f"{path}: isn't UTF-8 text") from error


def parse(source: str, name: str) -> Guide:
    """Return the guide in TOML text; raises GuideError, which calls the (first) file `name`."""
    try:
        guide = Guide.model_validate(tomllib.loads(source))
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        line = int(at[1]) if at else source.count("\n") + 1
        file, number = _place(source, name, line)
        text = re.sub(r"at line \d+", f"at line {number}", str(error))
        raise GuideError(f"{file}:{number}: {text}") from error
    except ValidationError as error:
        raise GuideError(
            _report(source, name, (_problem(one["loc"], one["msg"]) for one in error.errors()))
        ) from error
    folder = Path(name).parent.name  # a text from the database, or a single file, has none
    if found := _report(source, name, problems(guide, folder)):
        raise GuideError(found)
    return guide if "checks" in guide.model_fields_set else _completed(guide)


def _completed(guide: Guide) -> Guide:
    """Complete a guide from before guides had checks: it is verified as all of them were then."""
    ours = load()
    keys = {step.number: step.key for step in ours.steps}
    phases = []
    for phase in guide.phases:
        steps = [
            step.model_copy(update={"key": step.key or keys.get(step.number, "")})
            for step in phase.steps
        ]
        phases.append(phase.model_copy(update={"steps": tuple(steps)}))
    asked = ours.asked if guide.id == ours.id else guide.asked
    update = {"phases": tuple(phases), "checks": ours.checks, "asked": asked}
    return guide.model_copy(update=update)


def _problem(loc: Where, message: str) -> Problem:
    """Return pydantic's problem without what the file doesn't have: the kind of the checks."""
    where = (loc[0], *loc[2:]) if loc[:1] == ("checks",) else loc
    return where, message.removeprefix("Value error, ")


def _report(source: str, name: str, found: Iterable[Problem]) -> str:
    lines = []
    for where, problem in found:
        file, number = _place(source, name, _line_of(source, where))
        lines.append(f"{file}:{number}: {'.'.join(map(str, where))}: {problem}")
    return "\n".join(lines)


def _place(source: str, name: str, line: int) -> tuple[str, int]:
    """Return the file that a line of `source` comes from, and its number there."""
    file, begins = name, 0
    for number, text in enumerate(source.splitlines()[:line], start=1):
        if heading := _FILE.fullmatch(text):
            file, begins = str(Path(name).with_name(heading[1])), number
    return file, line - begins


def _line_of(source: str, where: Where) -> int:
    """Return the line that comes closest to `where`; tomllib keeps no positions."""
    best, best_length = 1, 0
    counts: dict[Where, int] = {}
    table: Where = ()
    for number, line in enumerate(source.splitlines(), start=1):
        here: Where | None = None
        if header := re.fullmatch(r"\s*\[(\[?)([\w.]+)\]?\]\s*(#.*)?", line):
            here = table = _enter(counts, header[2].split("."), array=bool(header[1]))
        elif key := re.match(r'\s*"?([\w:-]+)"?\s*=', line):
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
