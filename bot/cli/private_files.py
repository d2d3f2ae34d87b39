"""What keeps secrets to this user: files made for nobody else, no core dumps, and a look at both.

Files that somebody else made are warned of and not refused: containers mount secrets as files that
belong to root and that everybody may read, and the bot has to start there.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlalchemy import make_url

try:
    import resource
except ImportError:  # pragma: no cover  # Windows has neither
    resource = None  # type: ignore[assignment]

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def keep_to_ourselves() -> None:
    """Let nobody else read what this process makes from now on, a core dump included."""
    os.umask(OTHERS)
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def warnings(secrets: Mapping[str, Path], database_url: str) -> Iterator[str]:
    """Yield a line for each file that other users of this machine may read or change.

    `secrets` are files with secrets in them, by what the reader knows each as.
    """
    url = make_url(database_url)
    named = dict(secrets)
    if url.get_backend_name() == "sqlite" and url.database:
        named["the database"] = Path(url.database)
    for name, path in named.items():
        try:
            mode = path.stat().st_mode
        except (OSError, ValueError):
            continue  # whoever needs it says so
        if stat.S_ISREG(mode) and mode & OTHERS and not _is_systemds(path):
            may = "change" if mode & (stat.S_IWGRP | stat.S_IWOTH) else "read"
            yield (
                f"{name}: other users of this machine may {may} this file "
                f"(mode {stat.S_IMODE(mode):04o}); “chmod 600” closes it"
            )


def _is_systemds(path: Path) -> bool:
    """Whether systemd put the file there: it lets the service's user in by an ACL, as a group."""
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    return bool(directory) and path.is_relative_to(str(directory))
