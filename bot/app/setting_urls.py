"""Validates the settings that are addresses; no problem quotes a value."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import AfterValidator, SecretStr
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.app.setting_values import plain, wrong

# Options that poolers document for other drivers (Supabase, Prisma, Vercel); ignored here.
IGNORED_OPTIONS = ("pgbouncer", "connection_limit", "pool_timeout", "supa")
PERCENT = "in the password, write % codes: %40 for @, %2F for /"


def _url(value: str) -> str:
    """Validate an http(s) URL; http is allowed for this machine only."""
    parts = _parts(value, "must be an address such as https://auth.servicetitan.io")
    if "@" in parts.netloc:
        raise wrong("must have no user name and no password in it")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise wrong("must begin with https://, because secrets are sent there")
    return value


def _base_url(value: str) -> str:
    return _bare(_url(value), "must be a base without a path, such as https://api.servicetitan.io")


def _bare(value: str, problem: str) -> str:
    """Return an address that ends with its host or port, without a trailing slash."""
    parts = urlsplit(value)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise wrong(problem)
    return value.rstrip("/")


def _api_url(value: str) -> str:
    if not _url(value).endswith("/api/"):
        raise wrong("must end in /api/, such as https://slack.com/api/")
    return value


def _public(value: str) -> str:
    """Validate an address from which Slack downloads; http is allowed for this machine only."""
    problem = "must begin with https:// and a host from which Slack can download"
    parts = _parts(value, problem)
    if (parts.scheme == "http" and not is_loopback(parts.hostname or "")) or "@" in parts.netloc:
        raise wrong(problem)
    return value


def _public_url(value: str) -> str:
    example = "must be the bot's address alone, such as https://onboarding.example.com"
    return _bare(_public(value), example)


def _guide_images(value: str) -> str:
    """Validate GUIDE_IMAGES: a folder that exists, or an address that the files are under."""
    if "://" not in value:
        if not Path(value).is_dir():
            raise wrong(
                "isn't a folder here; set the path of a folder with step-03.png and so on, or an "
                "https:// address under which those are"
            )
        return value
    parts = urlsplit(_public(value))
    if parts.query or parts.fragment:
        raise wrong("must be an address that ends before the pictures' names, without ? and #")
    return value


def _guides(value: str) -> str:
    if not any(Path(value).glob("*/guide.toml")):
        raise wrong("must be a folder with a folder for each guide, such as fieldbook/guide.toml")
    return value


def _heartbeat_url(value: SecretStr) -> SecretStr:
    """Check the address of a dead man's switch; http is fine too, for one on the local network."""
    example = "must be the address that your monitor gives you, such as https://hc-ping.com/…"
    _parts(plain(value), example)
    return value


def _proxy_url(value: SecretStr) -> SecretStr:
    """Validate an HTTP proxy's URL, which may contain a user name and password."""
    example = "must be the address of an HTTP proxy, such as http://user:password@proxy:3128"
    try:
        parts = urlsplit(plain(value))
        port = parts.port
    except ValueError:
        raise wrong(f"{example}; {PERCENT}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise wrong(example)
    _bare(plain(value), example)
    if port is None:
        raise wrong("must name the proxy's port, such as http://proxy:3128")
    if parts.netloc.count("@") > 1 or re.search(r"[^\x21-\x7e]", plain(value)):
        raise wrong(f"{example}; {PERCENT}")
    return value


def _database_url(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    kind = scheme.partition("+")[0]
    if kind not in ("sqlite", "postgresql", "postgres") or not separator:
        raise wrong("must begin with sqlite:/// or postgresql://; other databases aren't supported")
    if kind != scheme:
        raise wrong(f"must begin with {kind}://, without the name of a driver")
    return _sqlite(value, rest) if kind == "sqlite" else _postgresql(value)


def _sqlite(value: str, rest: str) -> str:
    path = rest.removeprefix("/")
    if path in ("", "/") or ":memory:" in path or "mode=memory" in path:
        raise wrong("must name a file, such as sqlite:///onboarding.db; memory keeps nothing")
    if not rest.startswith("/"):
        raise wrong("must have three slashes before the file: sqlite:///onboarding.db")
    if path.startswith(("file:", "~")) or "?" in path or path.endswith("/"):
        raise wrong("must be a plain path to a file: sqlite:////var/lib/onboarding/onboarding.db")
    return value


def _postgresql(value: str) -> str:
    from psycopg import ProgrammingError  # not needed on SQLite, and slow to import
    from psycopg.conninfo import make_conninfo

    example = "must be an address such as postgresql://user:password@host/name"
    try:
        url: URL = make_url(value.replace("postgres://", "postgresql://", 1))
    except (ArgumentError, ValueError):
        raise wrong(f"{example}; {PERCENT}") from None
    if not (url.host or url.database or url.query):
        raise wrong(example)
    if not re.fullmatch(r"[\w.:,%-]*", url.host or "") or "@" in (url.database or ""):
        raise wrong(f"{example}; {PERCENT}")
    usual = url.difference_update_query(IGNORED_OPTIONS)
    if (url.host or "").lower().startswith("%2f"):  # a socket's folder, as libpq writes it
        usual = usual._replace(host=None).update_query_dict({"host": unquote(url.host or "")})
    try:
        make_conninfo("", **{name: str(one) for name, one in usual.query.items()})
    except ProgrammingError:
        known = "PostgreSQL's own options after the “?”, such as sslmode=require"
        raise wrong(f"must have only {known}; one of them is unknown") from None
    return value if usual == url else usual.render_as_string(hide_password=False)


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _parts(value: str, problem: str) -> SplitResult:
    """Return the parts of an http(s) address; raises `problem` for anything else."""
    try:
        parts = urlsplit(value)
        _port = parts.port
    except ValueError:
        raise wrong(problem) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", value):
        raise wrong(problem)
    return parts


ApiUrl = Annotated[str, AfterValidator(_api_url)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
GuideImages = Annotated[str, AfterValidator(_guide_images)]
GuidesFolder = Annotated[str, AfterValidator(_guides)]
PublicUrl = Annotated[str, AfterValidator(_public_url)]
HeartbeatUrl = Annotated[SecretStr, AfterValidator(_heartbeat_url)]
ProxyUrl = Annotated[SecretStr, AfterValidator(_proxy_url)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
