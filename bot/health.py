"""Whether the bot can do its work: the database, Slack's token, and every stored value."""

from collections.abc import Awaitable, Callable

from bot.errors import OnboardingError
from bot.slack import Slack
from storage import credentials
from storage.database import Database
from storage.vault import Vault


class Health:
    """Finds out what is wrong."""

    def __init__(self, database: Database, slack: Slack, vault: Vault) -> None:
        """Take what is to be checked."""
        self._database, self._slack, self._vault = database, slack, vault

    async def problems(self) -> list[str]:
        """Return a line for each part that does not work; none means ready."""
        checks: dict[str, Callable[[], Awaitable[None]]] = {
            "stored values": self._values,
            "Slack": self._token,
        }
        found = []
        for name, check in checks.items():
            try:
                await check()
            except OnboardingError as error:
                found.append(f"{name}: {error}")
        return found

    async def _values(self) -> None:
        """Read the database, and every value in it."""
        async with self._database.begin(write=False) as session:
            async for sealed in credentials.all_sealed(session):
                self._vault.open(sealed)

    async def _token(self) -> None:
        await self._slack.identify()
