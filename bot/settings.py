"""Every environment variable, checked at start: all problems at once, and no value shown."""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PositiveInt,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

KEY_BYTES = 32

# ENGINEERS, if every full member of HeavySet's workspace is one.
EVERYONE = "everyone"
WHO_IS_AN_ENGINEER = (
    "list the ids of the people (U…) and user groups (S…) who may start onboardings and see "
    f"credentials, separated by commas, or write {EVERYONE} for every full member of the workspace"
)


class SettingsError(Exception):
    """Settings that the bot cannot start with; its text has one line per variable."""


def _wrong(message: str) -> PydanticCustomError:
    return PydanticCustomError("setting", "{message}", {"message": message})


def _matching(pattern: str, problem: str) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if not re.fullmatch(pattern, text):
            raise _wrong(problem)
        return value

    return check


def _listed(value: Any) -> Any:
    return (
        [one.strip() for one in value.split(",") if one.strip()]
        if isinstance(value, str)
        else value
    )


def _engineers(ids: Sequence[str]) -> Sequence[str]:
    """Check ENGINEERS: nobody becomes an engineer by a value that is empty or misspelled."""
    if not ids:
        raise _wrong(f"is empty; {WHO_IS_AN_ENGINEER}")
    if [one.lower() for one in ids] == [EVERYONE]:
        return [EVERYONE]
    if any(not re.fullmatch(r"[UWS][A-Z0-9_]{2,}", one) for one in ids):
        raise _wrong(
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


def _keys(keys: Sequence[SecretStr]) -> Sequence[SecretStr]:
    if not keys:
        raise _wrong("is empty; make a key with “onboarding keys generate”")
    decoded = []
    for position, key in enumerate(keys, start=1):
        try:
            decoded.append(decode_key(key))
        except ValueError:
            raise _wrong(
                f"key {position} is not a key; make one with “onboarding keys generate”"
            ) from None
    if len(set(decoded)) < len(decoded):
        raise _wrong("holds the same key twice; keep it once")
    return keys


def _url(value: str) -> str:
    """Check an http(s) address; without encryption, secrets go to this machine only."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _wrong("must be an address such as https://auth.servicetitan.io")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise _wrong("must begin with https://, as secrets are sent there")
    return value


def _base_url(value: str) -> str:
    if urlsplit(_url(value)).path not in ("", "/"):
        raise _wrong("must be a base without a path, such as https://api.servicetitan.io")
    return value.rstrip("/")


def _api_url(value: str) -> str:
    if not _url(value).endswith("/api/"):
        raise _wrong("must end in /api/, such as https://slack.com/api/")
    return value


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _database_url(value: str) -> str:
    if not re.match(r"(sqlite:///.|postgres(ql)?://.)", value):
        raise _wrong("must begin with sqlite:/// or postgresql://")
    return value


def _timezone(value: str) -> str:
    if value not in available_timezones():
        raise _wrong("must be a time zone such as America/New_York")
    ZoneInfo(value)
    return value


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


Keys = Annotated[list[SecretStr], NoDecode, BeforeValidator(_listed), AfterValidator(_keys)]
Ids = Annotated[list[str], NoDecode, BeforeValidator(_listed), AfterValidator(_engineers)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
Port = Annotated[int, Field(ge=1, le=65535)]
Level = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_upper)]


class Settings(BaseSettings):
    """The environment. Secrets show in no `repr`, and in no message about what is wrong."""

    model_config = SettingsConfigDict(
        env_file=".env",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        env_ignore_empty=True,
    )

    slack_bot_token: Annotated[
        SecretStr,
        AfterValidator(
            _matching(r"xox[be][-.]\S+", "must be the bot token, which begins with xoxb-")
        ),
    ]
    slack_app_token: Annotated[
        SecretStr | None,
        AfterValidator(
            lambda value: (
                value
                and _matching(r"xapp-\S+", "must be the app-level token, which begins with xapp-")(
                    value
                )
            )
        ),
    ] = None
    slack_signing_secret: Annotated[SecretStr | None, Field(validate_default=True)] = None
    slack_api_url: Annotated[str, AfterValidator(_api_url)] = "https://slack.com/api/"
    engineering_channel: Annotated[
        str,
        AfterValidator(
            _matching(
                r"[CG][A-Z0-9_]{2,}",
                "must be a channel's id (C…), not its name; it stands at the end of the channel's "
                "details",
            )
        ),
    ]
    engineers: Ids
    database_url: Annotated[str, AfterValidator(_database_url)] = "sqlite:///onboarding.db"
    credential_keys: Keys
    servicetitan_auth_url: BaseUrl = "https://auth.servicetitan.io"
    servicetitan_api_url: BaseUrl = "https://api.servicetitan.io"
    host: str = "127.0.0.1"
    port: Port = 3000
    log_level: Level = "INFO"
    log_format: Literal["text", "json"] = "text"
    business_timezone: Annotated[str, AfterValidator(_timezone)] = "America/New_York"
    remind_after: PositiveInt = 28800
    escalate_after: PositiveInt = 86400
    retain_credentials_for: PositiveInt = 2592000
    sweep_interval: PositiveInt = 5

    @field_validator("slack_signing_secret")
    @classmethod
    def _one_transport(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value and re.search(r"\s", value.get_secret_value()):
            raise _wrong("must have no spaces; copy it from “Basic Information” of the app")
        if not value and info.data.get("slack_app_token", "wrong") is None:
            raise _wrong(
                "is missing; copy it from “Basic Information” of the app (for requests over HTTP), "
                "or set SLACK_APP_TOKEN to an app-level token (for Socket Mode)"
            )
        return value

    @property
    def socket_mode(self) -> bool:
        """Whether Slack's requests come over Socket Mode; an app token wins over HTTP."""
        return self.slack_app_token is not None

    @property
    def keys(self) -> list[bytes]:
        """The credential keys, the sealing one first."""
        return [decode_key(key) for key in self.credential_keys]


HELP = {
    "slack_bot_token": "copy it from “OAuth & Permissions” of the app",
    "engineering_channel": "give the id of the channel where engineers are told",
    "engineers": WHO_IS_AN_ENGINEER,
    "credential_keys": "make one with “onboarding keys generate”",
}


def load() -> Settings:
    """Read the environment and `.env`; raises SettingsError with one line per problem."""
    try:
        return Settings()
    except ValidationError as error:
        lines = [_line(problem) for problem in error.errors(include_input=False)]
        raise SettingsError("\n".join(lines)) from None


WORDS = {
    "int_parsing": "must be a whole number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
}


def _line(problem: Any) -> str:
    name = str(problem["loc"][0])
    if problem["type"] == "missing":
        return f"{name.upper()}: is missing; {HELP[name]}"
    words = WORDS.get(problem["type"])
    text = words.format(**problem["ctx"]) if words and "ctx" in problem else words
    return f"{name.upper()}: {text or problem['msg']}"
