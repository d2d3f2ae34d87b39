"""Reads `.env` strictly: a line that would not be read as written is reported with its number.

python-dotenv skips broken lines with a log message, expands `${…}`, and lets an unclosed quotation
mark swallow the lines below. This uses its parser, but reports all that. No message contains a
value.
"""

import codecs
import difflib
import io
import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv.parser import Binding, parse_stream

ASSIGNMENT = re.compile(r"\s*(?:export\s+)?'?([A-Za-z_][A-Za-z0-9_]*)'?\s*=\s*(['\"]?)")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
# How similar a misspelled name must be; more in the environment, which other programs share.
SIMILARITY_IN_FILE, SIMILARITY_IN_ENVIRONMENT = 0.75, 0.9
MIN_LENGTH_IN_ENVIRONMENT = 8
# Names of PostgreSQL, Slack and its SDKs that are similar to ours.
FOREIGN_NAMES = {
    "PGHOST",
    "PGPORT",
    "SLACK_API_TOKEN",
    "SLACK_APP_ID",
    "SLACK_CLIENT_ID",
    "SLACK_CLIENT_SECRET",
    "SLACK_TEAM_ID",
    "SLACK_USER_TOKEN",
    "SLACK_VERIFICATION_TOKEN",
}


@dataclass(slots=True)
class EnvFile:
    """The file's values. Unless `complete`, some lines were unreadable, so names may be missing.

    `meant` are the settings that misspelled names are most similar to.
    """

    values: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    complete: bool = True
    meant: set[str] = field(default_factory=set)

    def broken(self, where: str, text: str) -> None:
        self.problems.append(f"{where}: {text}")
        self.complete = False


def read(path: Path, names: Collection[str]) -> EnvFile:
    """Return the file's values by upper-case name; a missing file counts as empty.

    `names` are our settings' names, to find misspelled ones.
    """
    found = EnvFile()
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return found
    except IsADirectoryError:
        found.broken(path.name, "is a folder; it must be a file (see .env.example)")
        return found
    except OSError as error:
        found.broken(path.name, f"can't be read ({error.strerror})")
        return found
    text = _decoded(content, path.name, found)
    if text is not None:
        _read_lines(text, path.name, names, found)
    return found


def misspelled(environment: Mapping[str, str], names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield each variable similar to a setting that isn't set, with that setting's name."""
    for name in sorted(environment.keys() - set(names)):
        meant = _nearest(name, names, SIMILARITY_IN_ENVIRONMENT)
        if meant and len(name) >= MIN_LENGTH_IN_ENVIRONMENT and meant not in environment:
            yield name, meant


def _decoded(content: bytes, file: str, found: EnvFile) -> str | None:
    """Decode UTF-8 with or without a byte order mark; None for any other encoding."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in content:
        text = "is saved as UTF-16, as PowerShell does; save the file as UTF-8"
        found.broken(f"{file}, line 1", text)
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        for number, line in enumerate(re.split(rb"\r\n|\n|\r", content), start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                text = "has a letter that isn't UTF-8; save the file as UTF-8"
                found.broken(f"{file}, line {number}", text)
        return None


def _read_lines(text: str, file: str, names: Collection[str], found: EnvFile) -> None:
    lines: dict[str, int] = {}
    for binding in parse_stream(io.StringIO(text, newline="")):
        written = binding.original.string
        blank = written[: len(written) - len(written.lstrip())]
        line = binding.original.line + len(re.findall(r"\r\n|\n|\r", blank))
        if not written.strip() or (binding.key is None and not binding.error):
            continue  # blank, or a comment
        where = f"{file}, line {line}"
        if problem := _problem(binding, names):
            found.broken(where, problem)
            continue
        name = (binding.key or "").upper()
        if name in lines:
            text = f"{name} is set on line {lines[name]} already; keep one of the two"
            found.problems.append(f"{where}: {text}")
            continue
        lines[name] = line
        found.values[name] = binding.value or ""
        if name not in names and (meant := _nearest(name, names, SIMILARITY_IN_FILE)):
            text = f"{name} isn't a setting; did you mean {meant}?"
            found.problems.append(f"{where}: {text}")
            found.meant.add(meant)


def _problem(binding: Binding, names: Collection[str]) -> str:
    """Return what is wrong with a line; empty if it is read as written."""
    written, key, value = binding.original.string, binding.key, binding.value
    assigned = ASSIGNMENT.match(written)
    name = f"{assigned[1]}: " if assigned and assigned[1].upper() in names else ""
    if binding.error:
        if assigned and assigned[2]:
            return f"{name}the value's quotation marks don't match; close them on the same line"
        return f"{name}can't be read; write NAME=value, and # in front of a comment"
    if key is None or not NAME.fullmatch(key):
        return "has no proper name before the “=”; write NAME=value"
    if value is None:
        return (
            f"has no “=” after the name; write {key}=value"
            if key.upper() in names
            else ("has no “=”; write NAME=value, and # in front of a comment")
        )
    if "\n" in value and "\n" in written.strip():
        swallowed = any(ASSIGNMENT.match(line) for line in value.splitlines()[1:])
        if swallowed or name:
            return f"{name}the quotation mark isn't closed on the same line; close it there"
    return ""


def _nearest(name: str, names: Collection[str], similarity: float) -> str | None:
    """Return the setting that `name` is probably a misspelling of."""
    if name in FOREIGN_NAMES:
        return None
    found = difflib.get_close_matches(name.replace("-", "_"), sorted(names), n=1, cutoff=similarity)
    return found[0] if found else None


def environment() -> Mapping[str, str]:
    """Return the non-empty environment variables by upper-case name."""
    return {name.upper(): value for name, value in os.environ.items() if value}
