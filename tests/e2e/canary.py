"""A whole run with canary secrets in which much goes wrong, and the search for leaks."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlencode

import aiohttp

from sandbox.run import Stage
from sandbox.scenario import Play
from sandbox.scripted_people import next_step, opened, press_until_gone, submit
from sandbox.slack import Call, Channel, Message, Submission, offers
from tests.e2e.staging import DatabaseStage, rows

FORM = "application/x-www-form-urlencoded"
# ServiceTitan's right values at first; the secret is replaced twice.
CANARIES = {
    "tenant_id": "7193584602",
    "client_id": "cid.canaryoneyellowbirdx1b2c",
    "client_secret": f"cs1.{'canarytwo' * 5}y2c3d",
    "application_key": "ak1.canarythreebirdsinaz3d4e",
    "booking_provider_id": "846027193",
}
SECOND_SECRET = f"cs1.{'canaryten' * 5}y7h8i"
THIRD_SECRET = f"cs1.{'canarynine' * 4}123456y9j0k"
WRONG_SECRET = f"cs1.{'canarysix' * 5}z9k8l"
MALFORMED = "canaryfourinabodythatisbroken"
FORGED = "canaryfiveinaforgedrequest"
ALL_SECRETS = {
    **CANARIES,
    "second_secret": SECOND_SECRET,
    "third_secret": THIRD_SECRET,
    "wrong_secret": WRONG_SECRET,
}

FAIL_ON_ENTRY = """CREATE TRIGGER fails BEFORE INSERT ON credential
BEGIN SELECT RAISE(ABORT, 'a bug'); END"""
FAIL_ON_REVEAL = """CREATE TRIGGER fails BEFORE INSERT ON event
WHEN NEW.kind = 'credentials_revealed' BEGIN SELECT RAISE(ABORT, 'a bug'); END"""


@dataclass
class EverythingGoesWrong(Play):
    """From the start to “complete”, with everything that can go wrong on the way."""

    verifies_with: str = "test_booking"
    # 1 the fifth value, 2 a wrong secret, 3 the right one, 4 after the exposure, 5 the last.
    last_verification: int = 5
    answers: list[str] = field(default_factory=list)  # HTTP bodies that the bot answered with

    async def run(self) -> None:
        await self.engineer_starts()
        await self.a_value_is_refused_as_a_name()
        await self.client_walks()
        await self.verification_passes(1)
        await self.a_wrong_secret_fails()
        await self.a_stored_secret_is_posted()
        await self.client_walks_again()
        await self.revealing_fails()
        await self.engineer_finishes()
        await self.another_client_is_cancelled()
        await self.pages_are_read()

    # --- what happens ---

    async def a_value_is_refused_as_a_name(self) -> None:
        engineer, secret = self.stage.engineer, CANARIES["client_secret"]
        for command in (f"start {secret}", f"status {secret}", f"skip 7 {secret}", secret):
            reply = await engineer.command(self.stage.client_channel, "/servicetitan", command)
            assert reply.text

    async def client_takes(self, number: int, message: Message) -> None:
        if offers(message, "enter_credentials"):
            await self.a_secret_is_typed_into_every_field(message)
        if number == 11:
            await self.entering_fails(message)
        if number == 19:
            await self.a_new_secret_is_posted(message)
        if number == 22:
            self.slack_and_servicetitan_fail()
        await super().client_takes(number, message)

    async def client_asks_for_help(self, message: Message) -> None:
        refused = await self.ask(message, f"Is {CANARIES['client_secret']} right?")
        assert list(refused.errors) == ["question"]
        await self.stage.admin.close(await opened(self.stage, self.stage.admin, "ask_for_help"))
        await super().client_asks_for_help(message)

    async def ask(self, message: Message, question: str) -> Submission:
        admin = self.stage.admin
        await admin.press(message, "step_help")
        form = await opened(self.stage, admin, "ask_for_help")
        return await admin.submit(form, {"question": question})

    async def a_secret_is_typed_into_every_field(self, message: Message) -> None:
        admin = self.stage.admin
        await admin.press(message, "enter_credentials")
        form = await opened(self.stage, admin, "enter_credentials")
        fields = [block["block_id"] for block in form.blocks if block["type"] == "input"]
        secret = CANARIES["client_secret"]
        refused = await admin.submit(form, dict.fromkeys(fields, f"a {secret} b"))
        assert refused.errors
        await admin.close(form)

    async def entering_fails(self, message: Message) -> None:
        """A bug while a value is in memory: its traceback is in the log."""
        with failing_database(self.stage, FAIL_ON_ENTRY):
            answer = await self.enter(message, booking_provider_id=CANARIES["booking_provider_id"])
        assert "Something went wrong on our end" in str(answer.errors)
        await self.stage.admin.close(
            await opened(self.stage, self.stage.admin, "enter_credentials")
        )

    async def a_new_secret_is_posted(self, message: Message) -> None:
        """Before it is stored; then it is refused, and another one is generated."""
        stage, secret = self.stage, CANARIES["client_secret"]
        thread = stage.slack.message(stage.client_channel, "root")
        await stage.admin.say(
            stage.client_channel, f"is it {secret}?", thread.ts if thread else None
        )
        await stage.slack.until(lambda: stage.slack.message(stage.client_channel, "exposed:1"))
        answer = await self.enter(message, client_secret=secret)
        assert "was posted in the channel" in answer.errors["client_secret"]
        await stage.admin.close(await opened(stage, stage.admin, "enter_credentials"))
        stage.servicetitan.client_secret = SECOND_SECRET

    def slack_and_servicetitan_fail(self) -> None:
        self.stage.servicetitan.fail("token", status=500, times=1)
        self.stage.slack.fail_next(
            "chat.postMessage",
            drop=True,
            performed=True,
            predicate=lambda call: "verification:1" in json.dumps(call),
        )
        self.stage.slack.fail_next("chat.update", status=500)

    async def a_wrong_secret_fails(self) -> None:
        slack, channel = self.stage.slack, self.stage.client_channel
        entered = slack.message(channel, "step:19")
        assert entered
        assert (await self.enter(entered, client_secret=WRONG_SECRET)).ok
        failed = await slack.until(lambda: slack.message(channel, "verification:2"))
        assert failed.payload["outcome"] == "failed"
        assert (await self.enter(failed, client_secret=SECOND_SECRET)).ok
        await self.verification_passes(3)

    async def a_stored_secret_is_posted(self) -> None:
        stage, slack = self.stage, self.stage.slack
        written = await stage.admin.say(stage.client_channel, "the secret")
        await stage.admin.edit(written, f"the secret is {SECOND_SECRET}")
        notice = await slack.until(lambda: slack.message(stage.client_channel, "exposed:2"))
        await slack.until(lambda: offers(notice, "enter_credentials") or None)
        assert (await self.enter(notice, client_secret=SECOND_SECRET)).errors
        await stage.admin.close(await opened(stage, stage.admin, "enter_credentials"))
        stage.servicetitan.client_secret = THIRD_SECRET
        assert (await self.enter(notice, client_secret=THIRD_SECRET)).ok
        await self.verification_passes(4)

    async def client_walks_again(self) -> None:
        """The exposure opened step 19 again."""
        for number in (19, 20, 21, 22):
            _, message = await next_step(self.stage, after=number - 1)
            await press_until_gone(self.stage, self.stage.admin, message, "step_done")

    async def revealing_fails(self) -> None:
        """A bug while a value is in memory."""
        stage, before = self.stage, len(self.stage.engineer.ephemerals)
        _, message = await next_step(stage, after=22)
        await stage.engineer.press(message, "reveal_credentials")
        window = await opened(stage, stage.engineer, "reveal_credentials")
        with failing_database(stage, FAIL_ON_REVEAL):
            await stage.engineer.press(window, "reveal_credentials:client_secret")
            await stage.slack.until(lambda: len(stage.engineer.ephemerals) > before or None)
        assert "Something went wrong on our end" in stage.engineer.ephemerals[-1].text
        await stage.engineer.close(window)

    async def another_client_is_cancelled(self) -> None:
        stage = self.stage
        channel = stage.slack.add_channel("beta-heavyset", stage.engineer, stage.admin)
        other = Cancelled(replace(stage, client_channel=channel), self.counts)
        await other.run()

    async def pages_are_read(self) -> None:
        async with aiohttp.ClientSession() as session:
            for path in ("/healthz", "/readyz", "/metrics", "/nothing-here"):
                async with session.get(self.stage.bot.url(path)) as page:
                    self.answers.append(await page.text())

    async def enter(self, message: Message, **values: str) -> Submission:
        admin = self.stage.admin
        await admin.press(message, "enter_credentials")
        form = await opened(self.stage, admin, "enter_credentials")
        return await submit(admin, form, values)


class Cancelled(Play):
    """Another client, whose onboarding is ended when two values are in."""

    async def run(self) -> None:
        stage = self.stage
        await self.engineer_starts()
        root = stage.slack.message(stage.client_channel, "root")
        assert root
        onboarding = root.payload["onboarding_id"]
        await stage.admin.press_raw(root, "enter_credentials", f"{onboarding}:19:client_secret")
        form = await opened(stage, stage.admin, "enter_credentials")
        assert (await stage.admin.submit(form, {"client_secret": THIRD_SECRET})).ok
        await self.cancel(stage.client_channel)

    async def cancel(self, channel: Channel) -> None:
        stage = self.stage
        await stage.engineer.command(channel, "/servicetitan", "cancel")
        form = await opened(stage, stage.engineer, "cancel_onboarding")
        refused = await stage.engineer.submit(form, {"reason": f"{THIRD_SECRET} is wrong"})
        assert list(refused.errors) == ["reason"]
        assert (await stage.engineer.submit(form, {"reason": "They went elsewhere"})).ok
        await stage.slack.until(lambda: stage.slack.message(channel, "ended"))


@contextmanager
def failing_database(stage: Stage, trigger: str) -> Iterator[None]:
    """Make the database refuse something in a way that no code expects."""
    assert isinstance(stage, DatabaseStage)
    stage.bot_database.write(trigger)
    try:
        yield
    finally:
        stage.bot_database.write("DROP TRIGGER fails")


async def send_malformed_bodies(stage: Stage) -> list[str]:
    """Send signed but malformed bodies, and well-formed but forged ones; return the answers."""
    value = {"type": "plain_text_input", "value": MALFORMED}
    payloads = [f"payload={MALFORMED}".encode()]
    for view in (
        {"private_metadata": MALFORMED},
        {"state": {"values": {"client_secret": {"client_secret": value}}}},
        {"state": {"values": {"client_secret": MALFORMED}}},
    ):
        person = {"id": stage.admin.id, "team_id": stage.admin.team.id}
        body = {
            "type": "view_submission",
            "user": person,
            "view": {"type": "modal", "callback_id": "enter_credentials", **view},
        }
        payloads.append(urlencode({"payload": json.dumps(body)}).encode())
    answers = [await stage.slack.post_signed(payload, FORM) for payload in payloads]
    forged = urlencode({"payload": json.dumps({"type": "view_submission", "x": FORGED})}).encode()
    answers.append(await stage.slack.post_signed(forged, FORM, secret="a1" * 16))
    answers.append(await stage.slack.post_signed(forged, FORM, timestamp="1"))
    assert [answer.status for answer in answers[-2:]] == [401, 401]
    return [answer.body for answer in answers]


# --- the search ---


def search_terms() -> dict[str, list[str]]:
    """What may show nowhere, by name: each secret in several encodings.

    Parts of a value are searched for as well as all of it; the last four characters may show.
    """
    values = {**ALL_SECRETS, "malformed": MALFORMED, "forged": FORGED}
    pieces = {
        name: value if value.isdigit() else value.partition(".")[2][:-4] or value[:-4]
        for name, value in values.items()
    }
    return {name: encodings(piece) for name, piece in pieces.items()}


def encodings(piece: str) -> list[str]:
    plain = piece.encode()
    # Base64 reads three bytes at a time, so there are three ways in which it may show.
    encoded = [base64.b64encode(b"\0" * shift + plain).decode()[4:-4] for shift in range(3)]
    return [piece, plain.hex(), piece[::-1], *encoded]


def is_reveal(call: Call) -> bool:
    """Whether the call shows an engineer one of the values, which is what it is for."""
    view = call.arguments.get("view")
    return (
        call.method == "views.update"
        and isinstance(view, dict)
        and view.get("callback_id") == "reveal_credentials"
    )


def everything_written(stage: DatabaseStage, answers: list[str]) -> dict[str, str]:
    """Everything that the bot wrote, by place."""
    written = {
        path.name: path.read_bytes().decode("latin-1")
        for path in stage.directory.rglob("*")
        if path.is_file()
    }
    calls = [call for call in stage.slack.calls if not is_reveal(call)]
    channels = [stage.client_channel, stage.engineering_channel]
    posted = [message for channel in channels for message in channel.messages if message.slot]
    private = [*stage.admin.ephemerals, *stage.engineer.ephemerals]
    return {
        **written,
        "tables": str([rows(stage, f"SELECT * FROM {table}") for table in tables(stage)]),  # noqa: S608
        "Slack calls": json.dumps([[call.method, call.arguments] for call in calls]),
        "messages": "\n".join(
            f"{message.text} {message.blocks} {message.payload}" for message in posted
        ),
        "private answers": "\n".join(message.text for message in private),
        "acknowledgements": "\n".join(delivery.ack.body for delivery in stage.slack.deliveries),
        "pages and error answers": "\n".join(answers),
        **process_files(stage.bot.pid),
    }


def tables(stage: DatabaseStage) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table'"
    return [name for (name,) in rows(stage, query)]


def process_files(pid: int) -> dict[str, str]:
    """What others on the machine may see of the bot's process while it runs."""
    found = {}
    for name in ("cmdline", "environ"):
        path = Path(f"/proc/{pid}/{name}")
        if path.exists():
            found[f"/proc/{name}"] = path.read_bytes().decode("latin-1")
    return found


def leaks(texts: Mapping[str, str]) -> set[tuple[str, str]]:
    """Which secrets show where."""
    return {
        (place, name)
        for place, text in texts.items()
        for name, forms in search_terms().items()
        if any(form in text for form in forms)
    }


def search_summary(texts: Mapping[str, str]) -> str:
    """How much was searched, in a line."""
    size = sum(len(text) for text in texts.values())
    lines = texts["bot.log"].count("\n")
    debug = len(re.findall(r" DEBUG ", texts["bot.log"]))
    tracebacks = texts["bot.log"].count("Traceback")
    messages = texts["messages"].count("\n") + 1
    forms = sum(len(forms) for forms in search_terms().values())
    return (
        f"{forms} forms of {len(search_terms())} secrets in {len(texts)} places, {size:,} bytes: "
        f"{lines} log lines ({debug} at DEBUG, {tracebacks} tracebacks), {messages} messages; "
        f"hits: {len(leaks(texts))}"
    )
