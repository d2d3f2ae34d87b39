"""What all commands share: their settings, their output, and their exit status.

Exit status: 0 done, 1 failed, 2 settings or guide unusable.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

from sqlalchemy.exc import SQLAlchemyError

from bot.app.connections import CannotListen
from bot.app.settings import Settings, SettingsError, load
from bot.core import logs
from bot.core.errors import Unavailable, UnreadableRow
from bot.core.typed_text import escape_controls
from bot.guide import GuideError
from storage import migrate
from storage.audit.seals import Seals
from storage.database import Database
from storage.database_errors import reason
from storage.guides import GuideStore

P = ParamSpec("P")
Command = Callable[P, int]
WithSettings = Callable[Concatenate[Settings, P], int | Coroutine[Any, Any, int]]


def with_settings(
    *, check_tables: bool = True, outdated_status: int = 1
) -> Callable[[WithSettings[P]], Command[P]]:
    """Decorate a command's function, async or not: pass it the settings, print its errors.

    With `check_tables`, the database must have the tables of this version; `outdated_status` is the
    exit status if it doesn't.
    """

    def decorate(function: WithSettings[P]) -> Command[P]:
        @wraps(function)
        @with_output
        def command(*args: P.args, **kwargs: P.kwargs) -> int:
            try:
                settings = load()
            except SettingsError as error:
                return say(str(error), 2)
            logs.set_up(settings.log_level, settings.log_format)
            where = f"DATABASE_URL: {migrate.where(settings.database_url)}"
            try:
                if check_tables:
                    migrate.check(settings.database_url)
                result = function(settings, *args, **kwargs)
                return result if isinstance(result, int) else asyncio.run(result)
            except GuideError as error:
                return say(str(error), 2)
            except migrate.Unusable as error:
                return say(f"DATABASE_URL: {error}", outdated_status)
            except SQLAlchemyError as error:
                return say(f"{where}: the database isn't responding: {reason(error)}", 1)
            except Unavailable as error:
                return say(f"{where}: {error}", 1)
            except (UnreadableRow, CannotListen) as error:
                return say(str(error), 1)

        return command

    return decorate


def with_output(function: Command[P]) -> Command[P]:
    """Decorate a command's function: print an OSError with its file's name, and return 1."""

    @wraps(function)
    def command(*args: P.args, **kwargs: P.kwargs) -> int:
        try:
            return function(*args, **kwargs)
        except OSError as error:
            status = say(f"{error.filename or 'I/O error'}: {error.strerror or error}", 1)
            _discard_output()
            return status

    return command


@asynccontextmanager
async def database_of(
    settings: Settings, guides: GuideStore | None = None
) -> AsyncIterator[Database]:
    database = Database(settings.database_url, Seals(settings.keys), guides)
    try:
        yield database
    finally:
        await database.close()


def program() -> str:
    """Return what to type for `onboarding`: outside of an activated environment, with its path."""
    return sys.argv[0] if Path(sys.argv[0]).name == "onboarding" else "onboarding"


def say(text: str, status: int = 0) -> int:
    """Print a line, to standard error if the `status` says failed; return the `status`."""
    write(f"{text}\n", failed=bool(status))
    return status


def write(text: str, *, failed: bool = False) -> None:
    """Write to standard output or standard error immediately; raises OSError with its name.

    Control characters, which would act on a terminal, are escaped.
    """
    stream, name = (sys.stderr, "standard error") if failed else (sys.stdout, "standard output")
    try:
        stream.write(escape_controls(text))
        stream.flush()
    except OSError as error:  # a full disk, or a closed pipe
        raise OSError(error.errno, error.strerror, name) from error


def _discard_output() -> None:
    """Keep Python from failing again at exit on unwritten output (docs.python.org, SIGPIPE)."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
