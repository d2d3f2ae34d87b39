"""Platforms that discard their disk at each restart, and any SQLite file with it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Platform:
    """How to recognize a platform, and what to attach there.

    `marker` is a pattern for the name of a variable that is set there. Tokens don't count, as a
    developer's machine has them too. `volume` is the variable, if any, that says where a persistent
    disk is mounted.
    """

    name: str
    marker: str
    advice: str
    volume: str = ""


POSTGRES = "attach a PostgreSQL database"
# By each platform's own pages about its environment variables.
PLATFORMS = (
    # devcenter.heroku.com/articles/dyno-metadata, …/articles/dynos, “Ephemeral filesystem”
    Platform("Heroku", "DYNO", f"{POSTGRES} (“heroku addons:create heroku-postgresql”)"),
    # render.com/docs/environment-variables, render.com/docs/disks
    Platform("Render", "RENDER", f"{POSTGRES} and set DATABASE_URL to its internal URL"),
    # docs.railway.com/reference/variables, docs.railway.com/reference/volumes
    Platform(
        "Railway",
        r"RAILWAY_(?!(API_)?TOKEN$).*",
        f"{POSTGRES} and set DATABASE_URL to its reference, or name a file on a volume",
        volume="RAILWAY_VOLUME_MOUNT_PATH",
    ),
    # fly.io/docs/machines/runtime-environment
    Platform(
        "Fly.io",
        r"FLY_(?!(API|ACCESS)_TOKEN$).*",
        f"{POSTGRES} (“fly mpg create”, “fly mpg attach”)",
    ),
    # cloud.google.com/run/docs/container-contract
    Platform("Cloud Run", "K_SERVICE", f"{POSTGRES} (Cloud SQL) and set DATABASE_URL"),
    # docs.cloudfoundry.org, “Environment variables”
    Platform("Cloud Foundry", "VCAP_APPLICATION", f"{POSTGRES} service and set DATABASE_URL"),
    # koyeb.com/docs/build-and-deploy/environment-variables
    Platform("Koyeb", r"KOYEB_(?!TOKEN$).*", f"{POSTGRES} and set DATABASE_URL"),
)


def problem_with_sqlite(environment: Mapping[str, str], file: Path) -> str | None:
    """Return why a SQLite file would be lost here, and what to attach; None if it would not."""
    for platform in PLATFORMS:
        if not any(re.fullmatch(platform.marker, name) for name in environment):
            continue
        volume = environment.get(platform.volume)
        if volume and file.resolve().is_relative_to(volume):
            return None
        return (
            f"a SQLite file is lost at every restart on {platform.name}, and all credentials with "
            f"it; {platform.advice}, or set ALLOW_EPHEMERAL_SQLITE=1 if its disk is kept"
        )
    return None
