"""An environment in which the bot could start, and changes to it."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.app import settings
from bot.app.settings import Settings, SettingsError

KEY = base64.urlsafe_b64encode(hashlib.sha256(b"k").digest()).decode()
OTHER_KEY = base64.urlsafe_b64encode(hashlib.sha256(b"o").digest()).decode()
REQUIRED = {
    "SLACK_BOT_TOKEN": "xoxb-1-token",
    "SLACK_SIGNING_SECRET": "0123456789abcdef",
    "ENGINEERING_CHANNEL": "C0ENGINEERING",
    "ENGINEERS": "everyone",
    "CREDENTIAL_KEYS": KEY,
}


class Environment:
    """Environment variables, in a folder that may hold a `.env`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        """Begin with none of our variables, in an empty `folder`."""
        for name in Settings.model_fields:
            monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.chdir(folder)
        self.file = folder / ".env"
        self._monkeypatch = monkeypatch

    def load(self, **variables: str | None) -> Settings:
        """The required settings, with `variables` changed; None removes one."""
        values: Mapping[str, str | None] = {**REQUIRED, **variables}
        with self._monkeypatch.context() as patch:
            for name, value in values.items():
                if value is not None:
                    patch.setenv(name, value)
            return settings.load()

    def errors(self, **variables: str | None) -> list[str]:
        """The error lines for such settings."""
        with pytest.raises(SettingsError) as refused:
            self.load(**variables)
        return str(refused.value).splitlines()
