"""`onboarding init`: asks for what the bot needs, checks it with Slack, and writes `.env`."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import click

from bot.app.new_key import new_key
from bot.app.secret_files import SUFFIX
from bot.app.setting_urls import is_loopback
from bot.app.settings import ENV_FILE, Read, load_partly, problem_with, with_stand_ins
from bot.cli import env_writer
from bot.cli.command import program, say, with_output, write
from bot.cli.doctor.slack import slack_findings
from bot.cli.init_questions import (
    ALL,
    APP_TOKEN,
    APPS,
    BOT_TOKEN,
    CHANNEL,
    ENGINEERS,
    MANIFEST,
    SIGNING_SECRET,
    Question,
)
from bot.cli.manifest import EVENTS_PATH, manifest_for

SOCKET, HTTP = "socket", "http"


class Invalid(Exception):
    """Unusable answers, a line each."""


@dataclass(slots=True)
class Init:
    """One run of the command: the settings given as flags, by name, and the values so far."""

    flags: Mapping[str, str]
    transport: str | None
    address: str | None
    yes: bool
    check: bool
    read: Read = field(init=False)
    values: dict[str, str] = field(default_factory=dict, init=False)

    @with_output
    def run(self) -> int:
        """Ask, check and write; return the exit status."""
        self.read = load_partly()
        if unreadable := [one for one in self.read.problems if one.startswith(f"{ENV_FILE},")]:
            say("\n".join(unreadable), 2)
            return say(f"{ENV_FILE}: fix these lines first, or move the file away", 2)
        try:
            self._ask_transport()
            if not self.yes:  # the questions that follow need the app, and so the manifest
                self._write_manifest()
            questions = [BOT_TOKEN, APP_TOKEN if self.address is None else SIGNING_SECRET]
            for question in (*questions, CHANNEL, ENGINEERS):
                self._ask(question)
            if url := self.flags.get("DATABASE_URL"):
                if problem := problem_with("DATABASE_URL", url):
                    raise Invalid(problem)
                self.values["DATABASE_URL"] = url
        except Invalid as error:
            return say(str(error), 2)
        return self._write()

    # --- one question at a time ---

    def _ask_transport(self) -> None:
        if self.transport is None and self.address is None:
            known = self.read.given
            likely = HTTP if known.get("SLACK_SIGNING_SECRET") else SOCKET
            if self.yes:
                self.transport = SOCKET if self.flags.get("SLACK_APP_TOKEN") else likely
            else:
                write(
                    "How do Slack's requests reach the bot?\n"
                    f"  {SOCKET}: the bot connects to Slack. Recommended for one team: no public "
                    "address needed.\n"
                    f"  {HTTP}: Slack connects to the bot, at a public https address.\n"
                )
                self.transport = click.prompt(
                    "Transport", type=click.Choice([SOCKET, HTTP]), default=SOCKET
                )
        if self.transport == SOCKET:
            self.address = None
            return
        while True:
            if self.address is None and not self.yes:
                self.address = click.prompt("The bot's public address (https://…)")
            address = (self.address or "").strip().rstrip("/").removesuffix(EVENTS_PATH)
            if is_public_address(address):
                self.address = address
                return
            problem = "--address: must be https:// and a public host, without a path"
            self._refuse(problem)
            self.address = None

    def _ask(self, question: Question) -> None:
        name = question.name
        if name + SUFFIX in self.read.given and name not in self.flags:
            write(f"{name} comes from the file in {name}{SUFFIX}\n")
            return
        answer = self.flags.get(name) or None
        known = self.read.given.get(name)
        if answer is None and not self.yes:
            write(f"\n{question.where}\n")
        while True:
            if answer is None:
                answer = known if self.yes else self._prompt(question, known)
            if not answer:
                raise Invalid(f"{name}: is missing; give it with {question.flag}, or set {name}")
            answer = answer.strip()
            if problem := problem_with(name, answer):
                self._refuse(problem)
            elif self._is_accepted(question, answer):
                self.values[name] = answer
                return
            known = None if question.secret else answer
            answer = None

    def _prompt(self, question: Question, known: str | None) -> str:
        kept = known if known and problem_with(question.name, known) is None else None
        label = f"{question.label} [keep the one there is]" if kept and question.secret else None
        answer: str = click.prompt(
            label or question.label,
            hide_input=question.secret,
            default=kept,
            show_default=not question.secret,
        )
        return answer

    def _refuse(self, problem: str) -> None:
        """Print what is wrong before asking again; raises Invalid if no one can be asked."""
        if self.yes:
            raise Invalid(problem)
        say(problem, 1)

    def _is_accepted(self, question: Question, answer: str) -> bool:
        """Whether Slack accepts an answer, or the user keeps it anyway."""
        if not self.check or not question.findings:
            return True
        given = {**self.read.given, **self.values, question.name: answer}
        if asyncio.run(_checked(given, question)):
            return True
        if self.yes:
            raise Invalid(
                f"{question.name}: nothing was written; --no-check writes without asking Slack"
            )
        return click.confirm("Keep this answer anyway?", default=False)

    # --- files ---

    def _write_manifest(self) -> None:
        path, text = Path(MANIFEST), manifest_for(self.address)
        there = path.read_text(encoding="utf-8") if path.exists() else text
        if there != text and not self.yes and not click.confirm(f"Replace {MANIFEST}?"):
            return
        env_writer.replace(path, text)
        write(f"{MANIFEST}: ready to paste\n")

    def _write(self) -> int:
        if self.yes:
            self._write_manifest()
        path = Path(ENV_FILE)
        if path.exists():
            text = path.read_text(encoding="utf-8-sig")
            if not self.yes and not click.confirm(
                f"\nReplace these settings in {ENV_FILE}? Everything else in it stays", default=None
            ):
                return say(f"{ENV_FILE}: left as it was", 1)
        else:
            example = env_writer.EXAMPLE
            text = example.read_text(encoding="utf-8") if example.exists() else ""
        if self.address is not None and "SLACK_APP_TOKEN" in self.read.given:
            self.values["SLACK_APP_TOKEN"] = ""  # it would win over HTTP
        if self.address is not None:
            self.values["PUBLIC_URL"] = self.address
        if "CREDENTIAL_KEYS" not in self.read.given:
            self.values["CREDENTIAL_KEYS"] = new_key()
        env_writer.replace(path, env_writer.with_values(text, self.values))
        write(f"\n{ENV_FILE}: written, for this user only\n")
        if "CREDENTIAL_KEYS" in self.values:
            write(
                "It has a new key in CREDENTIAL_KEYS. Keep a copy of that line in your password "
                "safe:\nwithout it, stored credentials can't be read.\n"
            )
        write(f"\nNext:\n{self._next_steps()}")
        return 0

    def _next_steps(self) -> str:
        url = self.values.get("DATABASE_URL") or self.read.given.get("DATABASE_URL", "")
        bot = program()
        run = f"{bot} db upgrade && {bot} run" if "postgres" in url else f"{bot} run"
        if self.address is None:
            return (
                f"  1. {run}\n"
                f"  2. In another terminal: {bot} doctor. In Slack: /servicetitan help\n"
            )
        return (
            f"  1. {run}, so that {self.address}{EVENTS_PATH} reaches it\n"
            f"  2. At {APPS}, your app, Event Subscriptions: press Retry next to the Request URL\n"
            f"     until it says Verified. Then: {bot} doctor\n"
        )


def is_public_address(value: str) -> bool:
    """Whether an address looks reachable for Slack."""
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
    except ValueError:
        return False
    bare = not (parts.path or parts.query or parts.fragment) and "@" not in parts.netloc
    return parts.scheme == "https" and bare and "." in host and not is_loopback(host)


async def _checked(given: Mapping[str, str], question: Question) -> bool:
    """Print doctor's findings about an answer; return whether nothing is wrong."""
    about = {question.name, *question.needs}
    used = {name: given[name] for name in given.keys() & {*about, "SLACK_API_URL", "PROXY_URL"}}
    wrong = frozenset({one.name for one in ALL} - about)
    ok = True
    async for finding in slack_findings(with_stand_ins(used), wrong):
        if finding.title in question.findings:
            write(f"{finding.line}\n")
            ok = ok and finding.ok
    return ok
