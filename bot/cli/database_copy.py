"""`onboarding db copy --to URL`: moves everything to another database, and checks it there."""

import asyncio
from contextlib import ExitStack

from sqlalchemy.exc import SQLAlchemyError

from bot.app.settings import Settings, problem_with, with_stand_ins
from bot.cli.command import say, with_settings, write
from bot.cli.commands import verify_histories, verify_stored_values
from storage import migrate, sqlite, transfer
from storage.audit.seals import Seals
from storage.database import is_sqlite
from storage.database_errors import reason


@with_settings()
def copy_database(settings: Settings, to: str) -> int:
    """Copy everything to the database at `to`, which must be empty; return the exit status."""
    if problem := problem_with("DATABASE_URL", to):
        return say(problem.replace("DATABASE_URL", "--to", 1), 2)
    target = with_stand_ins({"DATABASE_URL": to}).database_url
    source, seals = settings.database_url, Seals(settings.keys)
    if migrate.where(source) == migrate.where(target) and is_sqlite(source) == is_sqlite(target):
        return say("--to: this is already the database in DATABASE_URL", 2)
    with ExitStack() as locks:
        if is_sqlite(source) and not locks.enter_context(sqlite.alone(str(sqlite.file(source)))):
            return say("stop the bot first: anything it did during the copy would be lost", 1)
        try:
            counts = transfer.copy(source, target, seals)
        except (transfer.NotCopied, migrate.Unusable) as error:
            return say(f"nothing was copied: {error}", 1)
        except SQLAlchemyError as error:
            where = migrate.where(target)
            return say(f"nothing was copied: {where}: {reason(error)}", 1)
    for table, rows in counts.items():
        write(f"{table}: {rows}\n")
    copied = settings.model_copy(update={"database_url": target})
    broken = asyncio.run(verify_stored_values(copied)) + asyncio.run(verify_histories(copied))
    if broken:
        return say(f"{migrate.where(target)}: everything is there, including the problems above", 1)
    return say(
        f"{migrate.where(target)}: complete. Set DATABASE_URL to it and start the bot there; keep "
        "the old database until you have seen it work."
    )
