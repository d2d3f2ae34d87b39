"""The first start is killed while creating the tables; the next one finishes the job."""

import contextlib
import os
import signal
import sqlite3
import sys
from pathlib import Path
from subprocess import run

import pytest

from sandbox.bot_process import ROOT
from storage import migrate

# Upgrades a database, and kills itself after the given number of statements.
KILLED = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from storage import migrate

left = int(sys.argv[2])

@event.listens_for(Engine, "after_cursor_execute")
def executed(*_):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

migrate.upgrade(sys.argv[1])
"""


def tables(database: Path) -> list[tuple[str]]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        query = "SELECT sql FROM sqlite_master ORDER BY type, name"
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("statements", [6, 21, 40])
def test_a_migration_killed_halfway_is_completed_by_the_next_start(
    tmp_path: Path, statements: int
) -> None:
    url, whole = f"sqlite:///{tmp_path / 'killed.db'}", tmp_path / "whole.db"
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ.get("PATH", "")}
    killed = run([sys.executable, "-c", KILLED, url, str(statements)], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL

    migrate.upgrade(url)

    migrate.upgrade(f"sqlite:///{whole}")
    assert tables(tmp_path / "killed.db") == tables(whole)
