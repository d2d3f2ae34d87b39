"""Writes settings into the text of `.env`, and replaces files atomically."""

import contextlib
import io
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from dotenv.parser import parse_stream

EXAMPLE = Path(__file__).parents[2] / ".env.example"


def with_values(text: str, values: Mapping[str, str]) -> str:
    """Return the text of an `.env` with these values, keeping comments and other settings.

    A setting without a line replaces its commented-out line, or is appended.
    """
    left = dict(values)
    lines = []
    for binding in parse_stream(io.StringIO(text)):
        written, name = binding.original.string, (binding.key or "").upper()
        if name in left:
            blank = written[: len(written) - len(written.lstrip())]
            written = f"{blank}{name}={left.pop(name)}\n"
        lines.append(written)
    made = "".join(lines)
    for name, value in left.items():
        line = f"{name}={value}"
        literal = line.replace("\\", r"\\")
        made, found = re.subn(rf"(?m)^#\s?{name}=.*$", literal, made, count=1)
        if not found:
            made += ("\n" if made and not made.endswith("\n") else "") + line + "\n"
    return made


def replace(path: Path, text: str) -> None:
    """Write a file that only this user may read; a failure leaves either the old file or the new.

    Raises OSError if it can't be written.
    """
    target = path.resolve()  # a symlink stays a symlink
    handle, name = tempfile.mkstemp(prefix=f"{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
