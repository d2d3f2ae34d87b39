"""Whether the bot can do its work: the database, Slack's token, and every stored value."""

from bot.announcements import Announcements
from bot.errors import OnboardingError, Unavailable
from bot.rotation import inspect
from bot.slack import Slack
from bot.socket_mode import Socket
from bot.traffic import Traffic
from storage import credentials
from storage.database import Database
from storage.vault import Vault


class Health:
    """Finds out what is wrong, and which keys are in use."""

    def __init__(
        self,
        database: Database,
        slack: Slack,
        announcements: Announcements,
        vault: Vault,
        socket: Socket | None,
        traffic: Traffic,
    ) -> None:
        """Take what is to be checked; `socket` in Socket Mode only."""
        self._database, self._slack, self._vault = database, slack, vault
        self._announcements = announcements
        self._socket, self._traffic = socket, traffic

    async def problems(self) -> list[str]:
        """Return a line for each part that does not work; none means ready."""
        if self._traffic.ending:
            return ["stopping: send no more requests"]
        found = []
        try:
            report = await inspect(self._database, self._vault)
            found += [f"stored values: {line}" for line in report.problems]
        except Unavailable as error:
            found.append(f"database: {error}")
        try:
            await self._slack.identify()
        except OnboardingError as error:
            found.append(f"Slack: {error}")
        if code := self._announcements.refusal:
            found.append(f"engineering channel: Slack refuses announcements ({code})")
        if self._socket and not await self._socket.is_connected():
            found.append("Slack: Socket Mode is not connected")
        return found

    async def keys(self) -> list[str]:
        """Return a line for each key: its id, and how many values it seals."""
        async with self._database.begin(write=False) as session:
            rows = await credentials.rows_per_key(session)
        return [f"key {key}: {rows.get(key, 0)} stored values" for key in self._vault.key_ids]
