"""Validates the settings' values. Each problem is explained in words that contain no value."""

import base64
import binascii
import re
import unicodedata
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from psycopg import ProgrammingError
from psycopg.conninfo import make_conninfo
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.onboarding.people import EVERYONE

KEY_BYTES = 32
# The differences between neighboring bytes of a random key are nearly all distinct; those of zeros,
# of a repeated word, or of 1, 2, 3 … are not.
MIN_DISTINCT_STEPS = 12
BLANK = {0x00, 0xFF}  # what empty memory reads as
# Half the length of Slack's signing secrets, and far fewer distinct characters.
MIN_SECRET_LENGTH, MIN_DISTINCT_CHARACTERS = 16, 6
MIN_TOKEN_LENGTH = 16

WHO_IS_AN_ENGINEER = (
    "list the ids of the people (U…) and user groups (S…) who may start onboardings and see "
    f"credentials, separated by commas, or write {EVERYONE} for every full member of the workspace"
)

QUOTES = "\"'`“”‘’«»"
# Ten years: more than that is a mistake in the unit, and dates would overflow.
MAX_SECONDS = 315_360_000
BLANKS = {"\n": "a line break", "\r": "a carriage return (a Windows line ending)", "\t": "a tab"}
# What the app's pages at Slack show next to the right value, by prefix.
TOKENS = {
    "xoxb-": "the bot token (xoxb-…), which belongs in SLACK_BOT_TOKEN",
    "xapp-": "the app-level token (xapp-…), which belongs in SLACK_APP_TOKEN",
    "xoxp-": "a user's token (xoxp-…)",
    "xoxe.": "a token of Slack's token rotation, which expires; turn rotation off (manifest.yml)",
    "xoxe-": "a refresh token of Slack's token rotation; turn rotation off (manifest.yml)",
    "xoxc-": "a browser's token (xoxc-…)",
    "xoxs-": "a browser's token (xoxs-…)",
}
# Options that poolers document for other drivers (Supabase, Prisma, Vercel); ignored here.
IGNORED_OPTIONS = ("pgbouncer", "connection_limit", "pool_timeout", "supa")
PLACEHOLDER = re.compile(
    r"(x+|\.+|…|\*+|<.*>|(.*[^a-z])?(your|change-?me|placeholder|example)([^a-z].*)?)?",
    re.IGNORECASE,
)


def wrong(message: str) -> PydanticCustomError:
    """Return an error to raise; `message` follows the setting's name."""
    return PydanticCustomError("setting", "{message}", {"message": message})


def as_written(value: Any, *, listed: bool) -> Any:
    """Reject what was copied along with a value: white space and quotation marks around it.

    Some tools keep quotation marks (`docker --env-file`) or line breaks. White space around the
    items of a list is allowed.
    """
    if not isinstance(value, str) or not value:
        return value
    if not listed and value != value.strip():
        where, blank = ("ends in", value[-1]) if value[-1].isspace() else ("begins with", value[0])
        raise wrong(f"{where} {BLANKS.get(blank, 'a space')}; take it out")
    if value[0] in QUOTES or value[-1] in QUOTES:
        raise wrong("is in quotation marks, which are taken literally here; leave them out")
    for character in value:
        if unicodedata.category(character) in ("Cf", "Cc") and not (listed and character.isspace()):
            name = BLANKS.get(character, f"an invisible character (U+{ord(character):04X})")
            raise wrong(f"has {name} in it; type it, or copy it again without")
    return value


def matching(pattern: str, problem: str) -> Callable[[Any], Any]:
    """Return a validator that requires a match of `pattern`, or raises `problem`."""

    def check(value: Any) -> Any:
        if not re.fullmatch(pattern, plain(value), re.ASCII):
            raise wrong(problem)
        return value

    return check


def optional(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a check that lets through what was not given."""
    return lambda value: value if value is None else check(value)


def plain(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _token(prefix: str, what: str, source: str) -> Callable[[SecretStr | None], SecretStr | None]:
    shape = matching(rf"{prefix}[\x21-\x7e]+", f"must be {what} ({prefix}…); {source}")

    def check(value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        text = plain(value)
        if text.startswith(prefix) and PLACEHOLDER.fullmatch(text.removeprefix(prefix)):
            raise wrong(f"is still the placeholder, not {what} ({prefix}…); {source}")
        for other, named in TOKENS.items():
            if other != prefix and text.startswith(other):
                raise wrong(f"must be {what} ({prefix}…), but is {named}; {source}")
        shape(value)
        return value

    return check


bot_token = _token(
    "xoxb-", "the bot token", "copy “Bot User OAuth Token” from “OAuth & Permissions” of the app"
)
app_token = _token(
    "xapp-", "the app-level token", "generate one with connections:write in “Basic Information”"
)


def signing_secret(value: SecretStr | None) -> SecretStr | None:
    """Reject obvious mistakes: Slack documents no format (32 hex digits are usual)."""
    source = "copy “Signing Secret” from “Basic Information” of the app"
    text = plain(value or "")
    for prefix, named in TOKENS.items():
        if text.startswith(prefix):
            raise wrong(f"must be the signing secret, but is {named}; {source}")
    if text and PLACEHOLDER.fullmatch(text):
        raise wrong(f"is a placeholder; {source}")
    if re.fullmatch(r"\d+\.\d+|A[A-Z0-9]{8,12}", text):
        raise wrong(f"must be the signing secret, but is the app's or the client's ID; {source}")
    if not re.fullmatch(r"[\x21-\x7e]*", text):
        raise wrong(f"must have no spaces, and plain letters and digits only; {source}")
    if text and (len(text) < MIN_SECRET_LENGTH or len(set(text)) < MIN_DISTINCT_CHARACTERS):
        raise wrong(f"is too short or too simple: it could be guessed; {source}")
    return value


def looks_like_signing_secret(value: SecretStr) -> bool:
    """Whether a signing secret has the usual format; others only cause a warning."""
    return bool(re.fullmatch(r"[0-9a-f]{32}", plain(value)))


def _split(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return [one.strip() for one in re.split(r"[,\n]", value) if one.strip()]


def _engineers(ids: Sequence[str]) -> Sequence[str]:
    """Validate ENGINEERS: an empty or misspelled value makes nobody an engineer."""
    if not ids:
        raise wrong(f"is empty; {WHO_IS_AN_ENGINEER}")
    if [one.lower() for one in ids] == [EVERYONE]:
        return [EVERYONE]
    if any(not re.fullmatch(r"[UWS][A-Z0-9_]{2,}", one) for one in ids):
        raise wrong(
            "must be user ids (U…) and user group ids (S…), separated by commas, or the word "
            f"{EVERYONE} alone; copy an id from the profile's menu, “Copy member ID”"
        )
    return ids


def decode_key(key: SecretStr) -> bytes:
    """Return the 32 bytes of one of CREDENTIAL_KEYS; raises ValueError for anything else."""
    try:
        decoded = base64.b64decode(key.get_secret_value(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not base64") from None
    if len(decoded) != KEY_BYTES:
        raise ValueError("not 32 bytes")
    return decoded


def looks_random(key: bytes) -> bool:
    """Whether a key looks randomly generated rather than typed."""
    return len({(after - before) % 256 for before, after in pairwise(key)}) >= MIN_DISTINCT_STEPS


def _keys(keys: Sequence[SecretStr]) -> Sequence[SecretStr]:
    if not keys:
        raise wrong("is empty; make a key with “onboarding keys generate”")
    decoded = []
    for position, key in enumerate(keys, start=1):
        try:
            decoded.append(decode_key(key))
        except ValueError:
            raise wrong(
                f"key {position} is not a key; make one with “onboarding keys generate”"
            ) from None
        if set(decoded[-1]) <= BLANK:
            raise wrong(f"key {position} is blank; make one with “onboarding keys generate”")
    if len(set(decoded)) < len(decoded):
        raise wrong("lists the same key twice")
    return keys


def _url(value: str) -> str:
    """Validate an http(s) URL; http is allowed for this machine only."""
    example = "must be an address such as https://auth.servicetitan.io"
    try:
        parts = urlsplit(value)
        _port = parts.port
    except ValueError:
        raise wrong(example) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", value):
        raise wrong(example)
    if "@" in parts.netloc:
        raise wrong("must have no user name and no password in it")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise wrong("must begin with https://, because secrets are sent there")
    return value


def _metrics_token(value: SecretStr | None) -> SecretStr | None:
    """Validate a token that a monitor sends as “Authorization: Bearer …” (RFC 6750)."""
    if value is None:
        return None
    matching(
        rf"[\w.~+/=-]{{{MIN_TOKEN_LENGTH},}}",
        f"must be {MIN_TOKEN_LENGTH} or more letters, digits, or any of . _ ~ + / = -; make one "
        "with “openssl rand -hex 32”",
    )(value)
    if len(set(plain(value))) < MIN_DISTINCT_CHARACTERS:
        raise wrong("is too simple; make one with “openssl rand -hex 32”")
    return value


def _heartbeat_url(value: SecretStr | None) -> SecretStr | None:
    """Check the address of a dead man's switch; http is taken too, as it may be a neighbor's."""
    if value is None:
        return None
    try:
        parts = urlsplit(plain(value))
        _port = parts.port
    except ValueError:
        parts = urlsplit("")
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or re.search(r"\s", plain(value))
    ):
        raise wrong(
            "must be the address that your monitor gives you, such as https://hc-ping.com/…"
        )
    return value


def _guide_images(value: str) -> str:
    """Validate GUIDE_IMAGES: a folder that is there, or an address under which files are."""
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


def _public_url(value: str) -> str:
    parts = urlsplit(_public(value))
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise wrong("must be the bot's address alone, such as https://onboarding.example.com")
    return value.rstrip("/")


def _public(value: str) -> str:
    """Validate an address from which Slack downloads; http is allowed for this machine only."""
    try:
        parts = urlsplit(value)
        _port = parts.port
    except ValueError:
        parts = urlsplit("")
    host = parts.hostname or ""
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    if not is_safe or not host or re.search(r"\s", value) or "@" in parts.netloc:
        raise wrong("must begin with https:// and a host from which Slack can download")
    return value


def _proxy_url(value: SecretStr | None) -> SecretStr | None:
    """Validate an HTTP proxy's URL, which may contain a user name and password."""
    if value is None:
        return None
    example = "must be the address of an HTTP proxy, such as http://user:password@proxy:3128"
    try:
        parts = urlsplit(plain(value))
        port = parts.port
    except ValueError:
        raise wrong(f"{example}; in the password, write % codes: %40 for @, %2F for /") from None
    bare = parts.path in ("", "/") and not parts.query and not parts.fragment
    if parts.scheme not in ("http", "https") or not parts.hostname or not bare:
        raise wrong(example)
    if port is None:
        raise wrong("must name the proxy's port, such as http://proxy:3128")
    if parts.netloc.count("@") > 1 or re.search(r"[^\x21-\x7e]", plain(value)):
        raise wrong(f"{example}; in the password, write % codes: %40 for @, %2F for /")
    return value


def _base_url(value: str) -> str:
    parts = urlsplit(_url(value))
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise wrong("must be a base without a path, such as https://api.servicetitan.io")
    return value.rstrip("/")


def _api_url(value: str) -> str:
    if not _url(value).endswith("/api/"):
        raise wrong("must end in /api/, such as https://slack.com/api/")
    return value


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


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
    example = "must be an address such as postgresql://user:password@host/name"
    try:
        url: URL = make_url(value.replace("postgres://", "postgresql://", 1))
    except (ArgumentError, ValueError):
        raise wrong(f"{example}; in the password, write % codes: %40 for @, %2F for /") from None
    if not (url.host or url.database or url.query):
        raise wrong(example)
    if not re.fullmatch(r"[\w.:,%-]*", url.host or "") or "@" in (url.database or ""):
        raise wrong(f"{example}; in the password, write % codes: %40 for @, %2F for /")
    usual = url.difference_update_query(IGNORED_OPTIONS)
    if (url.host or "").lower().startswith("%2f"):  # a socket's folder, as libpq writes it
        usual = usual._replace(host=None).update_query_dict({"host": unquote(url.host or "")})
    try:
        make_conninfo("", **{name: str(one) for name, one in usual.query.items()})
    except ProgrammingError:
        known = "PostgreSQL's own options after the “?”, such as sslmode=require"
        raise wrong(f"must have only {known}; one of them is unknown") from None
    return value if usual == url else usual.render_as_string(hide_password=False)


def _host(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._:%-]+", value) or re.fullmatch(r"[^:]*:\d*", value):
        raise wrong("must be a host name or an IP address alone, such as 0.0.0.0; the rest is PORT")
    return value


def _timezone(value: str) -> str:
    if value not in available_timezones():
        raise wrong("must be a time zone such as America/New_York")
    ZoneInfo(value)
    return value


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


Keys = Annotated[list[SecretStr], NoDecode, BeforeValidator(_split), AfterValidator(_keys)]
Engineers = Annotated[list[str], NoDecode, BeforeValidator(_split), AfterValidator(_engineers)]
BotToken = Annotated[SecretStr, AfterValidator(bot_token)]
AppToken = Annotated[SecretStr | None, AfterValidator(app_token)]
Channel = Annotated[
    str,
    AfterValidator(
        matching(
            r"[CG][A-Z0-9_]{2,}",
            "must be a channel ID (C…), not a name. You'll find it at the bottom of the channel's "
            "“About” tab",
        )
    ),
]
ApiUrl = Annotated[str, AfterValidator(_api_url)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
MetricsToken = Annotated[SecretStr | None, AfterValidator(_metrics_token)]
Email = Annotated[
    str | None,
    AfterValidator(
        optional(
            matching(
                r"[^@\s<>|]+@[^@\s<>|]+\.[^@\s<>|.]+",
                "must be an email address, such as integrations@example.com",
            )
        )
    ),
]
Description = Annotated[
    str | None,
    AfterValidator(
        optional(matching(r"[^\n`]{1,300}", "must be one line of at most 300 characters"))
    ),
]
GuideImages = Annotated[str | None, AfterValidator(optional(_guide_images))]
PublicUrl = Annotated[str | None, AfterValidator(optional(_public_url))]
HeartbeatUrl = Annotated[SecretStr | None, AfterValidator(_heartbeat_url)]
ProxyUrl = Annotated[SecretStr | None, AfterValidator(_proxy_url)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
Host = Annotated[str, AfterValidator(_host)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[int, Field(gt=0, le=MAX_SECONDS)]
Timezone = Annotated[str, AfterValidator(_timezone)]
Level = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_upper)]
