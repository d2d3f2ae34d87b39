"""All settings, validated at startup: every problem is reported, a line each, without values.

They come from the environment, from `.env` (`env_file`) and, for secrets, from files
(`secret_files`). The validators are in `setting_values` and `setting_urls`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from bot.app import (
    env_file,
    platforms,
    secret_files,
    setting_urls as urls,
    setting_values as values,
)
from bot.app.new_key import new_key
from bot.reminders.schedule import Pace

SLACK_API = "https://slack.com/api/"
ENV_FILE = ".env"
# White space around the items of these is allowed.
LISTS = {"engineers", "credential_keys", "follow_ups"}
USUAL_DAYS = "1,3,7,14"
# These may come from a file as well: SLACK_BOT_TOKEN_FILE and so on.
SECRETS = (
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "SLACK_SIGNING_SECRET",
    "DATABASE_URL",
    "CREDENTIAL_KEYS",
    "SERVICETITAN_APPLICATION_KEY",
    "PROXY_URL",
    "METRICS_TOKEN",
    "HEARTBEAT_URL",
)


class SettingsError(Exception):
    """Settings that the bot can't start with; its text has one line per problem."""


class Settings(BaseModel):
    """The settings. No `repr` and no error message contains a secret."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, validate_default=True)

    slack_bot_token: values.BotToken
    slack_app_token: values.AppToken | None = None
    slack_signing_secret: SecretStr | None = None
    slack_api_url: urls.ApiUrl = SLACK_API
    engineering_channel: values.Channel
    engineers: values.Engineers
    database_url: Annotated[urls.DatabaseUrl, Field(repr=False)] = "sqlite:///onboarding.db"
    allow_ephemeral_sqlite: bool = False
    credential_keys: values.Keys
    servicetitan_auth_url: urls.BaseUrl = "https://auth.servicetitan.io"
    servicetitan_api_url: urls.BaseUrl = "https://api.servicetitan.io"
    servicetitan_application_key: values.ApplicationKey | None = None
    proxy_url: urls.ProxyUrl | None = None
    host: values.Host = "127.0.0.1"
    port: values.Port = 3000
    metrics_token: values.MetricsToken | None = None
    metrics_port: values.Port | None = None
    heartbeat_url: urls.HeartbeatUrl | None = None
    log_level: values.Level = "INFO"
    log_format: Literal["text", "json"] = "text"
    business_timezone: values.Timezone = "America/New_York"
    remind_after: values.Seconds = 28800
    follow_ups: values.FollowUps = USUAL_DAYS
    escalate_after: values.Seconds = 86400
    retain_credentials_for: values.Seconds = 2592000
    sweep_interval: values.Seconds = 5
    digest_at: values.DigestAt = "Mon 09:00"
    support_email: values.Email | None = None
    app_description: values.Description | None = None
    guides: urls.GuidesFolder | None = None
    guide_images: urls.GuideImages | None = None
    public_url: urls.PublicUrl | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _as_written(cls, value: Any, info: ValidationInfo) -> Any:
        return values.as_written(value, listed=info.field_name in LISTS)

    @field_validator("slack_signing_secret")
    @classmethod
    def _one_transport(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if not value and info.data.get("slack_app_token", "wrong") is None:
            raise values.wrong(
                "is missing; copy it from “Basic Information” of the app (for requests over HTTP), "
                "or set SLACK_APP_TOKEN to an app-level token (for Socket Mode)"
            )
        return values.signing_secret(value)

    @field_validator("metrics_port")
    @classmethod
    def _another_port(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and value == info.data.get("port"):
            raise values.wrong("is the same as PORT; choose another port, or leave it out")
        return value

    @field_validator("follow_ups")
    @classmethod
    def _in_order(cls, value: str, info: ValidationInfo) -> str:
        first = timedelta(seconds=info.data.get("remind_after", 0))
        if value != USUAL_DAYS and any(wait <= first for wait in values.business_days(value)[1:]):
            raise values.wrong(
                "is at odds with REMIND_AFTER, after which the first follow-up is sent: each later "
                "day must be more than that (a business day is 28800 seconds)"
            )
        return value

    @property
    def pace(self) -> Pace:
        """When follow-ups are sent: the first after REMIND_AFTER, if that is set."""
        snooze, days = timedelta(seconds=self.remind_after), values.business_days(self.follow_ups)
        if days and "remind_after" in self.model_fields_set:
            days = [snooze, *(wait for wait in days[1:] if wait > snooze)]
        return Pace(days, snooze, timedelta(seconds=self.escalate_after))

    @property
    def socket_mode(self) -> bool:
        """Whether Slack's requests arrive over Socket Mode; an app token wins over HTTP."""
        return self.slack_app_token is not None

    @property
    def proxy(self) -> str | None:
        """The URL of the proxy for requests to Slack and ServiceTitan, if there is one."""
        return self.proxy_url.get_secret_value() if self.proxy_url else None

    @property
    def keys(self) -> list[bytes]:
        """The credential keys, the encrypting one first."""
        return [values.decode_key(key) for key in self.credential_keys]

    @property
    def doubts(self) -> list[str]:
        """Warnings about values that are probably wrong, a line each, without a value."""
        secret, found = self.slack_signing_secret, []
        if secret and not self.socket_mode and not values.looks_like_signing_secret(secret):
            found.append(
                "SLACK_SIGNING_SECRET: doesn't look like Slack's, which usually have 32 digits and "
                "letters from a to f; compare it with “Basic Information” of the app"
            )
        # The key is still accepted, because a rotation has to read what it encrypted.
        found += [
            f"CREDENTIAL_KEYS: key {position} isn't random, so it can be guessed; put one from "
            "“onboarding keys generate” first, run “onboarding keys rotate”, and take this one out"
            for position, key in enumerate(self.keys, start=1)
            if not values.looks_random(key)
        ]
        return found


# All variables that we read.
NAMES = {
    *(name.upper() for name in Settings.model_fields),
    *(name + secret_files.SUFFIX for name in SECRETS),
}
# Valid values for the required settings, while the right ones are unknown.
STAND_INS = {
    "SLACK_BOT_TOKEN": "xoxb-0",
    "SLACK_SIGNING_SECRET": "0123456789abcdef",
    "ENGINEERING_CHANNEL": "C000",
    "ENGINEERS": "U000",
    "CREDENTIAL_KEYS": new_key(),
}
HELP = {
    "slack_bot_token": "copy it from “OAuth & Permissions” of the app",
    "engineering_channel": "set the ID of your engineering channel",
    "engineers": values.WHO_IS_AN_ENGINEER,
    "credential_keys": "make one with “onboarding keys generate”",
}


@dataclass(frozen=True, slots=True)
class Read:
    """The result of reading: a line per problem, and which settings are `wrong`.

    Those must not be used: most have their default or a stand-in in `settings`.
    """

    settings: Settings
    problems: list[str]
    wrong: frozenset[str]
    given: Mapping[str, str] = field(repr=False)


def load() -> Settings:
    """Read the environment, `.env` and secret files; raises SettingsError, a line per problem."""
    read = load_partly()
    if read.problems:
        raise SettingsError("\n".join(read.problems))
    return read.settings


def load_partly() -> Read:
    """Read the settings, even if some are wrong."""
    environment = env_file.environment()
    file = env_file.read(Path(ENV_FILE), NAMES)
    problems, meant = [*file.problems], {*file.meant}
    for name, setting in env_file.misspelled(environment, NAMES - file.values.keys()):
        problems.append(f"{name}: isn't a setting; did you mean {setting}?")
        meant.add(setting)
    given = {name: value for name, value in {**file.values, **environment}.items() if value}
    secrets, unusable = secret_files.read(given, SECRETS)
    problems += unusable.values()
    given |= secrets
    settings, found = _checked(given)
    settings = settings or with_stand_ins(given)
    if "DATABASE_URL" not in found and (problem := _ephemeral(settings, environment)):
        found["DATABASE_URL"] = problem
    for name in secrets.keys() & found.keys():
        found[name] = found[name].replace(name, f"{name} (in {name}{secret_files.SUFFIX})", 1)
    if "SLACK_APP_TOKEN" in unusable:  # it is unknown whether the other transport is needed
        meant.add("SLACK_SIGNING_SECRET")
    problems += [
        line
        for name, line in found.items()
        # A missing setting may be on an unreadable line, or misspelled.
        if name not in unusable
        and ((file.complete and name not in meant) or ": is missing;" not in line)
    ]
    return Read(settings, problems, frozenset({*found, *unusable}), given)


def with_stand_ins(given: Mapping[str, str]) -> Settings:
    """Return settings without the invalid values, and with stand-ins for required ones."""
    settings, problems = _checked({**STAND_INS, **given})
    # Leaving one out may bring out another, which is at odds with a default or a stand-in.
    return settings or with_stand_ins({name: given[name] for name in given.keys() - problems})


def problem_with(name: str, value: str) -> str | None:
    """Return the line for an invalid value of one setting; None if it is valid."""
    return _checked({**STAND_INS, name: value})[1].get(name)


def secret_paths() -> dict[str, Path]:
    """Return the files with secrets: `.env`, and each file that a setting names."""
    given = {**env_file.read(Path(ENV_FILE), NAMES).values, **env_file.environment()}
    names = [name + secret_files.SUFFIX for name in SECRETS]
    paths = {name: Path(given[name]) for name in names if given.get(name)}
    return {ENV_FILE: Path(ENV_FILE), **paths}


def _checked(given: Mapping[str, str]) -> tuple[Settings | None, dict[str, str]]:
    """Return the settings, or a line for each invalid one by name."""
    try:
        return Settings.model_validate({name.lower(): value for name, value in given.items()}), {}
    except ValidationError as error:
        return None, {
            str(problem["loc"][0]).upper(): _line(problem)
            for problem in error.errors(include_input=False)
        }


def _ephemeral(settings: Settings, environment: Mapping[str, str]) -> str | None:
    """Return a line if the database is a file that the platform deletes at a restart."""
    url = settings.database_url
    if settings.allow_ephemeral_sqlite or not url.startswith("sqlite"):
        return None
    problem = platforms.problem_with_sqlite(environment, Path(url.removeprefix("sqlite:///")))
    return f"DATABASE_URL: {problem}" if problem else None


MESSAGES = {
    "bool_parsing": "must be 1 or 0",
    "int_parsing": "must be a whole number{unit}",
    "int_parsing_size": "must be a whole number{unit}",
    "greater_than": "must be more than {gt}{seconds}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}{seconds}",
    "literal_error": "must be {expected}",
}


def _line(problem: Any) -> str:
    name = str(problem["loc"][0])
    default = Settings.model_fields[name].default
    if problem["type"] == "missing":
        return f"{name.upper()}: is missing; {HELP[name]}"
    seconds = " seconds" if name.endswith(("_after", "_for", "_interval")) else ""
    unit = f" of{seconds}, such as {default}" if seconds else ""
    words, context = MESSAGES.get(problem["type"]), problem.get("ctx", {})
    text = words.format(**context, unit=unit, seconds=seconds) if words else problem["msg"]
    return f"{name.upper()}: {text}"
