"""What all commands have in common: their settings, what they say, and how they end.

Exit status: 0 done, 1 failed, 2 settings or guide unusable.
"""

import os
import sys
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from bot.app.connections import CannotListen
from bot.app.settings import Settings, SettingsError, load
from bot.core import logs
from bot.core.errors import Unavailable, UnreadableRow
from bot.core.typed_text import escape_controls
from bot.guide import GuideError
from storage import migrate
from storage.database_errors import reason


def with_settings(
    work: Callable[[Settings], int], *, any_database: bool = False, unusable: int = 1
) -> int:
    """Do a command's `work` and return its exit status; whatever stops it is put in words.

    The database must be there, with the tables of this version, unless `work` takes care of that.
    `unusable` is the status for one that would have to be changed first.
    """

    def begin() -> int:
        try:
            settings = load()
        except SettingsError as error:
            return say(str(error), 2)
        logs.set_up(settings.log_level, settings.log_format)
        return _done(work if any_database else _after_check(work), settings, unusable)

    return with_output(begin)


def with_output(work: Callable[[], int]) -> int:
    """Do a command's `work` and return its exit status; files that fail it are put in words."""
    try:
        return work()
    except OSError as error:
        status = say(f"{error.filename or 'I/O error'}: {error.strerror or error}", 1)
        _give_up_output()
        return status


def _after_check(work: Callable[[Settings], int]) -> Callable[[Settings], int]:
    def checked(settings: Settings) -> int:
        migrate.check(settings.database_url)
        return work(settings)

    return checked


def _done(work: Callable[[Settings], int], settings: Settings, unusable: int) -> int:
    try:
        return work(settings)
    except GuideError as error:
        return say(str(error), 2)
    except migrate.Unusable as error:
        return say(f"DATABASE_URL: {error}", unusable)
    except SQLAlchemyError as error:
        where = migrate.where(settings.database_url)
        return say(f"DATABASE_URL: {where}: the database isn't responding: {reason(error)}", 1)
    except Unavailable as error:
        return say(f"DATABASE_URL: {migrate.where(settings.database_url)}: {error}", 1)
    except UnreadableRow as error:
        return say(str(error), 1)
    except CannotListen as error:
        return say(str(error), 1)


def say(text: str, status: int) -> int:
    """Print a line, on standard error if something failed; returns the `status`."""
    write(f"{text}\n", failed=bool(status))
    return status


def write(text: str, *, failed: bool = False) -> None:
    """Write to standard output, or error, at once; raises OSError, which names it.

    What would act on a terminal is written out.
    """
    stream, name = (sys.stderr, "standard error") if failed else (sys.stdout, "standard output")
    try:
        stream.write(escape_controls(text))
        stream.flush()
    except OSError as error:  # a full disk, or a reader that has gone
        raise OSError(error.errno, error.strerror, name) from error


def _give_up_output() -> None:
    """Keep Python from writing at its end what could not be written (docs.python.org, SIGPIPE)."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
