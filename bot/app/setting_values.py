"""Validates the settings' values. Each problem is explained in words that contain no value."""

import base64
import re
import unicodedata
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError

from bot.app.new_key import KEY_BYTES
from bot.onboarding.business_time import BUSINESS_DAY
from bot.onboarding.people import EVERYONE
from bot.onboarding.reporting.weekly import Weekly

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
MAX_FOLLOW_UPS, MAX_BUSINESS_DAYS = 12, 260
BLANKS = {"\n": "a line break", "\r": "a carriage return (a Windows line ending)", "\t": "a tab"}
# Other values that Slack's app pages show near the right one, by prefix.
TOKENS = {
    "xoxb-": "the bot token (xoxb-…), which belongs in SLACK_BOT_TOKEN",
    "xapp-": "the app-level token (xapp-…), which belongs in SLACK_APP_TOKEN",
    "xoxp-": "a user's token (xoxp-…)",
    "xoxe.": "a token of Slack's token rotation, which expires; turn rotation off (manifest.yml)",
    "xoxe-": "a refresh token of Slack's token rotation; turn rotation off (manifest.yml)",
    "xoxc-": "a browser's token (xoxc-…)",
    "xoxs-": "a browser's token (xoxs-…)",
}
PLACEHOLDER = re.compile(
    r"(1-)?(x+|\.+|…|\*+|<.*>"
    r"|(.*[^a-z])?(your|change[-_]?me|placeholder|example|replace|insert|todo|tbd)([^a-z].*)?)?",
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


def plain(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _matches(pattern: str, problem: str) -> AfterValidator:
    """Return a validator that requires a match of `pattern`, or raises `problem`."""

    def check(value: Any) -> Any:
        if not re.fullmatch(pattern, plain(value), re.ASCII):
            raise wrong(problem)
        return value

    return AfterValidator(check)


def _is_token(prefix: str, what: str, source: str) -> AfterValidator:
    """Return a validator for a token of Slack's; `source` says where to find it."""

    def check(value: SecretStr) -> SecretStr:
        text = plain(value)
        if text.startswith(prefix) and PLACEHOLDER.fullmatch(text.removeprefix(prefix)):
            raise wrong(f"is still the placeholder, not {what} ({prefix}…); {source}")
        for other, named in TOKENS.items():
            if other != prefix and text.startswith(other):
                raise wrong(f"must be {what} ({prefix}…), but is {named}; {source}")
        if not re.fullmatch(rf"{prefix}[\x21-\x7e]+", text):
            raise wrong(f"must be {what} ({prefix}…); {source}")
        return value

    return AfterValidator(check)


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
    """Validate ENGINEERS: an empty or misspelled value would add no engineer."""
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
    decoded = base64.b64decode(key.get_secret_value(), altchars=b"-_", validate=True)
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


def _digest_at(value: str) -> str:
    if value.lower() == "off":
        return "off"
    if (at := Weekly.parse(value)) is None:
        raise wrong("must be a day and a time such as Mon 09:00, or off")
    return str(at)


def business_days(value: str) -> list[timedelta]:
    """Return the business time of each day of FOLLOW_UPS."""
    return [] if value == "off" else [BUSINESS_DAY * int(day) for day in value.split(",")]


def _follow_ups(value: str) -> str:
    days = _split(value)
    if [day.lower() for day in days] == ["off"]:
        return "off"
    numbers = [int(day) for day in days if re.fullmatch(r"[0-9]{1,3}", day)]
    if not days or len(numbers) < len(days):
        raise wrong("must be business days separated by commas, such as 1,3,7,14, or off")
    if any(after <= before for before, after in pairwise([0, *numbers])):
        raise wrong("must begin with 1 or more, and each day must be later than the one before it")
    if len(numbers) > MAX_FOLLOW_UPS or numbers[-1] > MAX_BUSINESS_DAYS:
        raise wrong(
            f"must be at most {MAX_FOLLOW_UPS} days, none later than {MAX_BUSINESS_DAYS} (a year)"
        )
    return ",".join(map(str, numbers))


def _metrics_token(value: SecretStr) -> SecretStr:
    if len(set(plain(value))) < MIN_DISTINCT_CHARACTERS:
        raise wrong("is too simple; make one with “openssl rand -hex 32”")
    return value


def _host(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._:%-]+", value) or re.fullmatch(r"[^:]*:\d*", value):
        raise wrong("must be a host name or an IP address alone, such as 0.0.0.0; the rest is PORT")
    return value


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # such as a folder of zones: America
        raise wrong("must be a time zone such as America/New_York") from None
    return value


Keys = Annotated[list[SecretStr], BeforeValidator(_split), AfterValidator(_keys)]
Engineers = Annotated[list[str], BeforeValidator(_split), AfterValidator(_engineers)]
BotToken = Annotated[
    SecretStr,
    _is_token(
        "xoxb-",
        "the bot token",
        "copy “Bot User OAuth Token” from “OAuth & Permissions” of the app",
    ),
]
AppToken = Annotated[
    SecretStr,
    _is_token(
        "xapp-",
        "the app-level token",
        "generate one with connections:write in “Basic Information”",
    ),
]
ApplicationKey = Annotated[
    SecretStr,
    _matches(
        r"[!-~]{10,200}", "must be the Application Key of HeavySet's app in ServiceTitan (ak1.…)"
    ),
]
Channel = Annotated[
    str,
    _matches(
        r"[CG][A-Z0-9_]{2,}",
        "must be a channel ID (C…), not a name. You'll find it at the bottom of the channel's "
        "“About” tab",
    ),
]
FollowUps = Annotated[str, AfterValidator(_follow_ups)]
DigestAt = Annotated[str, AfterValidator(_digest_at)]
MetricsToken = Annotated[  # sent as “Authorization: Bearer …” (RFC 6750)
    SecretStr,
    _matches(
        rf"[\w.~+/=-]{{{MIN_TOKEN_LENGTH},}}",
        f"must be {MIN_TOKEN_LENGTH} or more letters, digits, or any of . _ ~ + / = -; make one "
        "with “openssl rand -hex 32”",
    ),
    AfterValidator(_metrics_token),
]
Email = Annotated[
    str,
    _matches(
        r"[^@\s<>|]+@[^@\s<>|]+\.[^@\s<>|.]+",
        "must be an email address, such as integrations@example.com",
    ),
]
Description = Annotated[
    str, _matches(r"[^\n`]{1,300}", "must be one line of at most 300 characters")
]
Host = Annotated[str, AfterValidator(_host)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[int, Field(gt=0, le=MAX_SECONDS)]
Timezone = Annotated[str, AfterValidator(_timezone)]
Level = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(str.upper)
]
