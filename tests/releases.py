"""The releases that may still be running when their database is upgraded.

With each release: add a line, with the commit that was released and its newest migration.
"""

from typing import NamedTuple

from alembic.script import ScriptDirectory

from storage import migrate


class Release(NamedTuple):
    commit: str
    revision: str


RELEASES = {"0.1.0": Release("f843dc5bde2b4751e9f2d98e16714a782a675b15", "0008")}


def survived_by(release: Release) -> str:
    """Return the last revision before a migration for which every bot has to be stopped."""
    scripts = ScriptDirectory(str(migrate.MIGRATIONS))
    last = release.revision
    for script in reversed(list(scripts.iterate_revisions("head", release.revision))):
        if getattr(script.module, "stop_all", False):
            break
        last = script.revision
    return last
