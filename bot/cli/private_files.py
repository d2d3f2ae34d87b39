"""Keeps secrets to this user: private new files, no core dumps, and warnings about other files.

Files that others can read cause a warning, not a refusal: containers mount secrets as files that
belong to root and that everyone can read, and the bot has to start there.
"""

import os
import resource
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def protect_new_files() -> None:
    """Keep others from reading the files that this process creates; write no core dumps."""
    os.umask(OTHERS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def warnings(secrets: Mapping[str, Path], database_url: str) -> Iterator[str]:
    """Yield a line for each file that other users of this machine may read or change.

    `secrets` are the files that contain secrets, by the name that the reader knows.
    """
    named = dict(secrets)
    if database_url.startswith("sqlite:///"):
        named["the database"] = Path(database_url.removeprefix("sqlite:///"))
    for name, path in named.items():
        try:
            mode = path.stat().st_mode
        except (OSError, ValueError):
            continue  # reported where the file is used
        if stat.S_ISREG(mode) and mode & OTHERS and not _is_systemd_credential(path):
            may = "change" if mode & (stat.S_IWGRP | stat.S_IWOTH) else "read"
            yield (
                f"{name}: other users of this machine may {may} this file "
                f"(mode {stat.S_IMODE(mode):04o}); “chmod 600” closes it"
            )


def _is_systemd_credential(path: Path) -> bool:
    """Whether systemd made the file; its ACL for the service's user shows as group bits."""
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    return bool(directory) and path.is_relative_to(str(directory))
