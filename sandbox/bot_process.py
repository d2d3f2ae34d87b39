"""The real bot in its own process: started, watched, stopped."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import aiohttp

ROOT = Path(__file__).parents[1]
READY_WITHIN = 30.0
STOPPED_WITHIN = 10.0
PORTS = range(15000, 30000)
THE_BOT = ("-m", "bot", "run")


class BotFailedError(Exception):
    """The bot did not start, or a command of it failed."""


class BotProcess:
    """`python -m bot run`, or another command, in a clean environment; its log goes to a file."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        environment: Mapping[str, str],
        log: Path,
        port: int,
    ) -> None:
        self._process = process
        self.environment = environment
        self._base = f"http://127.0.0.1:{port}"
        self.log = log

    @classmethod
    async def start(
        cls, environment: Mapping[str, str], directory: Path, command: Sequence[str] = THE_BOT
    ) -> Self:
        """Start the bot in `directory` and wait until it says that it is ready."""
        port = int(environment.get("PORT") or free_port())
        settings = {**environment, "HOST": "127.0.0.1", "PORT": str(port)}
        log = directory / "bot.log"
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, *command),
                cwd=directory,
                env=_clean_environment(directory) | settings,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches only us; then we stop the bot
            )
        bot = cls(process, environment, log, port)
        try:
            await bot._ready()
        except BaseException:
            await bot.stop()
            raise
        return bot

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def events_url(self) -> str:
        """The URL to which Slack delivers."""
        return f"{self._base}/slack/events"

    def url(self, path: str) -> str:
        """The address of one of its pages."""
        return f"{self._base}{path}"

    def log_text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def log_tail(self, lines: int = 20) -> str:
        return "\n".join(self.log_text().splitlines()[-lines:]) or "(the bot has logged nothing)"

    async def retires(self) -> None:
        """Wait until the bot, after a signal to stop, is no longer ready."""
        async with aiohttp.ClientSession() as session:
            while await self._is_ready(session):  # noqa: ASYNC110 (another process)
                await asyncio.sleep(0.01)

    async def stop(self) -> int:
        """Send SIGTERM, or SIGKILL after STOPPED_WITHIN seconds, and return the exit status."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOPPED_WITHIN):
                return await self._process.wait()
        except TimeoutError:
            self._process.kill()
            return await self._process.wait()

    async def kill(self) -> None:
        """Send SIGKILL, and wait for the process to end."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    @property
    def is_running(self) -> bool:
        return self._process.returncode is None

    async def _ready(self) -> None:
        try:
            async with asyncio.timeout(READY_WITHIN), aiohttp.ClientSession() as session:
                while not await self._is_ready(session):  # noqa: ASYNC110 (another process)
                    await asyncio.sleep(0.01)
        except TimeoutError:
            problem = f"GET /readyz was not 200 within {READY_WITHIN:g} s"
            raise BotFailedError(f"{problem}\n{self.log_tail()}") from None

    async def _is_ready(self, session: aiohttp.ClientSession) -> bool:
        if self._process.returncode is not None:
            status = self._process.returncode
            raise BotFailedError(f"the bot ended with status {status}\n{self.log_tail()}")
        try:
            async with session.get(f"{self._base}/readyz") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False


async def run_command(
    environment: Mapping[str, str], directory: Path, command: Sequence[str]
) -> str:
    """What a command of the bot prints; raises BotFailedError if it fails."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *command),
        cwd=directory,
        env=_clean_environment(directory) | dict(environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    if process.returncode != 0:
        raise BotFailedError(f"`{' '.join(command[1:])}` failed:\n{errors.decode()}")
    return output.decode().strip()


def free_port() -> int:
    """A loopback port that nothing uses now.

    Not one from the range that systems use for outgoing connections (32768 and up): it could be
    taken before the bot listens.
    """
    while True:
        port = PORTS.start + secrets.randbelow(len(PORTS))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _clean_environment(directory: Path) -> dict[str, str]:
    """An environment without the user's own settings, in which the bot's code is the one here."""
    return {
        "PYTHONPATH": str(ROOT),
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(directory),
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
        "DIGEST_AT": "off",  # a run mustn't depend on the day of the week
    }
