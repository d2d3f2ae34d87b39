"""What all tests of a process share, because building it for each one would take too long.

A starting bot reads the guide and compiles its SQL, which takes longer than most tests do.
"""

import asyncio
import gc
import inspect
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any

import pytest
from aiohttp.web_app import _cached_build_middleware
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.dialects.postgresql.psycopg import PGDialectAsync_psycopg
from sqlalchemy.engine import Engine
from sqlalchemy.util import LRUCache

from bot.guide import parse
from sandbox.bot_process import THE_BOT
from sandbox.slack.state import State
from storage.sqlite import InlineDialect
from tests.commands import Fork, command_server

IN_MEMORY = Path("/dev/shm")  # noqa: S108  # the fastest place to fsync
MIN_FREE_BYTES = 2 * 1024**3


@contextmanager
def patches() -> Iterator[None]:
    """Build what doesn't differ between tests only once, until the block ends."""
    with pytest.MonkeyPatch.context() as patch:
        _share_compiled_sql(patch)
        _share_the_guide(patch)
        _share_migrations(patch)
        _share_signatures(patch)
        _fork_bots(patch)
        # Five seconds are long for a person, but not on a busy machine.
        patch.setattr(State.until, "__defaults__", (30.0, *(State.until.__defaults__ or ())[1:]))
        # httpx tries to import it for each lock, and looks for it in all folders if there is none.
        patch.setitem(sys.modules, "sniffio", None)
        yield


def collect_garbage_less_often() -> None:
    """Collections mostly scan objects of modules, which took a seventh of all time."""
    gc.set_threshold(10_000)


def forget_applications() -> None:
    """Release what a test ran: aiohttp caches the handlers of 1,024 applications."""
    _cached_build_middleware.cache_clear()


def keep_temporary_files_in_memory() -> None:
    """Keep temporary files in memory, if there is enough: commits wait for the disk."""
    if os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > MIN_FREE_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))
        tempfile.tempdir = str(IN_MEMORY)


def _share_compiled_sql(patch: pytest.MonkeyPatch) -> None:
    """Keep compiled statements for all engines of a kind, instead of for each engine."""
    compiled: LRUCache[Any, Any] = LRUCache(2000)
    patch.setattr(
        Engine, "_compiled_cache", property(lambda _: compiled, lambda *_: None), raising=False
    )
    for dialect in (InlineDialect, PGDialectAsync_psycopg):
        patch.setattr(dialect, "__eq__", lambda self, other: type(self) is type(other))
        patch.setattr(dialect, "__hash__", lambda self: hash(type(self)))


def _share_the_guide(patch: pytest.MonkeyPatch) -> None:
    """Parse a guide once: the result is immutable."""
    patch.setattr("storage.guides.parse", cache(parse))


def _share_migrations(patch: pytest.MonkeyPatch) -> None:
    """Read the scripts of the migrations once; each command of Alembic's reads them all."""
    read, cached = ScriptDirectory.from_config, dict[str | None, ScriptDirectory]()

    def scripts(config: Config) -> ScriptDirectory:
        location = config.get_main_option("script_location")
        if location not in cached:
            cached[location] = read(config)
        return cached[location]

    patch.setattr(ScriptDirectory, "from_config", scripts)


def _share_signatures(patch: pytest.MonkeyPatch) -> None:
    """Read the parameters of each listener once; Bolt reads them for every bot."""
    cached: dict[CodeType, list[str]] = {}

    def getfullargspec(function: Any) -> SimpleNamespace:
        code = getattr(function, "__code__", None)
        if code is None:
            return SimpleNamespace(args=inspect.getfullargspec(function).args)
        if code not in cached:
            cached[code] = inspect.getfullargspec(function).args
        return SimpleNamespace(args=[*cached[code]])

    replacement = SimpleNamespace(**{**vars(inspect), "getfullargspec": getfullargspec})
    patch.setattr("slack_bolt.util.utils.inspect", replacement)


def _fork_bots(patch: pytest.MonkeyPatch) -> None:
    """Start bots as forks of a process that has imported everything, which takes them seconds.

    The fixture `new_processes` undoes it.
    """
    execute = asyncio.create_subprocess_exec

    async def create(
        *command: str, cwd: Path, env: Mapping[str, str], stdout: Any, **more: Any
    ) -> Fork | asyncio.subprocess.Process:
        if command[1:] != THE_BOT:
            return await execute(*command, cwd=cwd, env=env, stdout=stdout, **more)
        log = Path(stdout.name)
        return await command_server().start(cwd, ["run"], env, log, log)

    replacement = SimpleNamespace(**{**vars(asyncio), "create_subprocess_exec": create})
    patch.setattr("sandbox.bot_process.asyncio", replacement)
