"""Marked secrets go through a whole run, failures included, and are then looked for everywhere."""

import json
from collections.abc import Mapping
from urllib.parse import urlencode

import pytest

from sandbox.play import Play
from sandbox.script import opened
from sandbox.slack import Call, Message, offers
from sandbox.stage import Stage
from sandbox.summary import CallCount
from tests.databases import ON_SQLITE, AnyDatabase
from tests.e2e.staging import Staged, rows, staging, stopped

FORM = "application/x-www-form-urlencoded"
CANARIES = {
    "tenant_id": "7193584602",
    "client_id": "cid.canaryoneyellowbirdx1b2c",
    "client_secret": f"cs1.{'canarytwo' * 5}y2c3d",
    "application_key": "ak1.canarythreebirdsinaz3d4e",
    "booking_provider_id": "846027193",
}
MALFORMED = "canaryfourinabodythatisbroken"
FORGED = "canaryfiveinaforgedrequest"


class Troubled(Play):
    """A run in which things go wrong just where secrets are at hand."""

    async def client_takes(self, number: int, message: Message) -> None:
        if offers(message, "enter_credentials"):
            await self.client_is_refused(message)
        if number == 22:
            self.stage.servicetitan.fail("token", status=500, times=1)
            self.stage.slack.fail_next(
                "chat.postMessage",
                drop=True,
                performed=True,
                predicate=lambda call: "verification:1" in json.dumps(call),
            )
            self.stage.slack.fail_next("chat.update", status=500)
        await super().client_takes(number, message)

    async def client_is_refused(self, message: Message) -> None:
        """Paste everything into the wrong fields."""
        admin = self.stage.admin
        await admin.press(message, "enter_credentials")
        form = await opened(self.stage, admin, "enter_credentials")
        fields = [block["block_id"] for block in form.blocks if block["type"] == "input"]
        secret = CANARIES["client_secret"]
        refused = await admin.submit(form, dict.fromkeys(fields, f"a {secret} b"))
        assert refused.errors
        await admin.close(form)


async def send_broken_bodies(stage: Stage) -> None:
    """Signed but malformed, and whole but forged."""
    value = {"type": "plain_text_input", "value": MALFORMED}
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
        await stage.slack.post_signed(urlencode({"payload": json.dumps(body)}).encode(), FORM)
    await stage.slack.post_signed(f"payload={MALFORMED}".encode(), FORM)
    whole = urlencode({"payload": json.dumps({"type": "view_submission", "x": FORGED})}).encode()
    assert (await stage.slack.post_signed(whole, FORM, secret="a1" * 16)).status == 401
    assert (await stage.slack.post_signed(whole, FORM, timestamp="1")).status == 401


def marks() -> list[str]:
    """What may show nowhere: less than the whole value where a part tells enough."""
    pieces = [value if value.isdigit() else value[4:-4] for value in CANARIES.values()]
    return [*pieces, MALFORMED, FORGED]


def reveals(call: Call) -> bool:
    """Whether the call shows an engineer the values, which is what it is for."""
    view = call.arguments.get("view")
    return isinstance(view, dict) and view.get("callback_id") == "reveal_credentials"


def places(stage: Staged) -> dict[str, str]:
    """Everything that the bot wrote, by where."""
    written = {
        path.name: path.read_bytes().decode("latin-1")
        for path in stage.directory.rglob("*")
        if path.is_file()
    }
    calls = [call for call in stage.slack.calls if not reveals(call)]
    return {
        **written,
        "Slack calls": json.dumps([[call.method, call.arguments] for call in calls]),
        "acknowledgements": "\n".join(one.ack.body for one in stage.slack.deliveries),
        "events": str(rows(stage, "SELECT * FROM event")),
        "verifications": str(rows(stage, "SELECT * FROM verification")),
    }


def leaks(texts: Mapping[str, str]) -> set[tuple[str, str]]:
    """Which marks show where."""
    return {(place, mark) for place, text in texts.items() for mark in marks() if mark in text}


@ON_SQLITE
@pytest.mark.parametrize("socket_mode", [False, True], ids=["http", "socket"])
async def test_a_secret_shows_nowhere_but_where_an_engineer_asks_for_it(
    database: AnyDatabase, socket_mode: bool
) -> None:
    async with staging(database, socket_mode=socket_mode, log_level="DEBUG", **CANARIES) as stage:
        if not socket_mode:
            await send_broken_bodies(stage)
        await Troubled(stage, CallCount(stage.slack)).run()

        assert places(stage).keys() >= {"bot.log", "onboarding.db-wal"}
        assert leaks(places(stage)) == set()
        assert await stopped(stage) == 0
        assert leaks(places(stage)) == set()

        shown = json.dumps([call.arguments for call in stage.slack.calls if reveals(call)])
        assert all(value in shown for value in CANARIES.values())
        assert rows(stage, "SELECT status FROM onboarding") == [("completed",)]


def test_the_search_finds_what_it_looks_for() -> None:
    logged = {"bot.log": f"token={CANARIES['client_secret']}", "events": CANARIES["tenant_id"]}

    assert {place for place, _ in leaks(logged)} == {"bot.log", "events"}
