"""Reverts migrations, and tells whether all are applied, which the bot itself never does."""

from alembic import command

from storage import migrate


def downgrade(url: str, revision: str) -> None:
    """Revert the migrations after `revision` (`base`: all)."""
    command.downgrade(migrate._config(url), revision)


def is_current(url: str) -> bool:
    """Whether the database at `url` has every migration; False if there is none."""
    try:
        migrate.check(url)
    except migrate.Unusable:
        return False
    return True
