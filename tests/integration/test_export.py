"""`onboarding export`: one onboarding's history as a single file, without credential values."""

import json
from html.parser import HTMLParser

import pytest

from sandbox.slack import Person
from tests.commands import CommandResult, onboarding
from tests.databases import ON_SQLITE
from tests.integration.test_cli import VALID_SETTINGS
from tests.integration.test_verification_flow import WRONG_SECRET
from tests.integration.world import World


async def export(world: World, *arguments: str) -> CommandResult:
    settings = {
        **VALID_SETTINGS,
        "SLACK_API_URL": world.slack.api_url,
        "SLACK_BOT_TOKEN": world.slack.bot_token,
        "DATABASE_URL": world.settings.database_url,
        "CREDENTIAL_KEYS": world.settings.credential_keys[0].get_secret_value(),
    }
    return await onboarding(world.database.directory, "export", *arguments, **settings)


@pytest.mark.parametrize("format_", ["md", "html", "json"])
async def test_the_export_has_the_full_history_but_no_credential_values(
    begun: World, format_: str
) -> None:
    await begun.walk_to(24)
    window = await begun.open(begun.erin, "step:24", "reveal_credentials")
    await begun.erin.press(window, "reveal_credentials:booking_provider_id")
    await begun.idle()

    ended = await export(begun, begun.onboarding, "--format", format_)

    assert ended.status == 0
    assert "Acme Plumbing" in ended.out
    assert "Submit the Application" in ended.out
    assert not [secret for secret in begun.servicetitan.credentials.values() if secret in ended.out]


@ON_SQLITE
async def test_json_holds_every_event(begun: World) -> None:
    await begun.walk_to(23)

    exported = json.loads((await export(begun, "acme", "--format", "json")).out)

    [(count,)] = begun.rows("SELECT count(*) FROM event")
    assert len(exported["events"]) == count
    assert exported["client"] == "Acme Plumbing"
    assert exported["events"][0]["by"] == {"user": begun.erin.id, "role": "engineer"}


@ON_SQLITE
async def test_html_export_is_escaped_and_loads_nothing_external(world: World) -> None:
    await world.begin("Tom & Sons")
    await world.ann.say(world.channel, "help what is 1 < 2 & why?", world.message("root").ts)
    await world.slack.delivered()
    await world.idle()

    page = (await export(world, world.onboarding, "--format", "html")).out

    class ExternalResources(HTMLParser):
        found: list[str] = []  # noqa: RUF012  # one parser

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.found += [tag] if tag == "script" else []
            self.found += [f"{name}={value}" for name, value in attrs if name == "src"]
            self.found += [tag for name, _ in attrs if name == "href" and tag != "a"]

    parser = ExternalResources()
    parser.feed(page)
    assert parser.found == []
    assert "Tom &amp; Sons" in page
    assert "1 &lt; 2" in page
    assert page.count("<svg") == 2


@ON_SQLITE
async def test_an_ambiguous_or_unknown_client_name_is_an_error(begun: World) -> None:
    west = begun.slack.add_channel("west", begun.erin)
    await begun.begin("Acme West", west)

    unclear, unknown_client = await export(begun, "acme"), await export(begun, "zebra")

    assert (unclear.status, unknown_client.status) == (1, 1)
    assert "Acme Plumbing" in unclear.err
    assert "Acme West" in unclear.err
    assert "zebra: no match" in unknown_client.err


@ON_SQLITE
async def test_people_are_named_and_failed_checks_are_explained(begun: World) -> None:
    await begun.walk_to(22)
    wrong = {**begun.servicetitan.credentials, "client_secret": WRONG_SECRET}
    assert (await begun.enter(begun.ann, 22, **wrong)).ok

    page = (await export(begun, "acme", "--format", "md")).out
    exported = json.loads((await export(begun, "acme", "--format", "json")).out)

    assert exported["names"][begun.channel.id] == f"#{begun.channel.name}"
    assert f"{exported['names'][begun.erin.id]} \\(engineer, {begun.erin.id}\\)" in page
    [problem] = exported["checks"][0]["problems"]
    assert problem["check"] == "Client ID and Client Secret"
    assert "First look at the dot" in problem["why"]
    assert "First look at the dot" in page


@ON_SQLITE
async def test_people_are_shown_by_id_if_slack_lookups_fail(begun: World) -> None:
    begun.slack.fail_next("users.info", error="user_not_found", times=9)
    begun.slack.fail_next("conversations.info", status=503, times=9)

    page = (await export(begun, "acme")).out

    assert f"- Channel: {begun.channel.id}, engineer: {begun.erin.id}" in page


@ON_SQLITE
async def test_questions_and_their_answers_are_linked(begun: World) -> None:
    root, unknown = begun.message("root").ts, "what does the web scheduler cost?"

    async def say(person: Person, text: str) -> str:
        message = await person.say(begun.channel, text, root)
        await begun.slack.delivered()
        await begun.idle()
        return f"p{message.ts.replace('.', '')}?thread_ts={root}"

    guide = await say(begun.ann, "where do I find the application key?")
    asked = await say(begun.ann, unknown)
    answered = await say(begun.erin, "It's free for you.")
    await begun.erin.press(begun.erin.ephemerals[-1], "mark_answered")
    await begun.idle()
    await begun.open(begun.ann, "step:1", "step_help")
    await begun.submit(begun.ann, begun.view_of(begun.ann), question="And how much later?")

    by_guide, by_erin, open_ = json.loads((await export(begun, "acme", "--format", "json")).out)[
        "questions"
    ]
    answer = begun.message("answer:1").ts.replace(".", "")
    assert guide in by_guide["link"]
    assert f"p{answer}?" in by_guide["answer"]["link"]
    assert (asked in by_erin["link"], answered in by_erin["answer"]["link"]) == (True, True)
    assert by_erin["answer"]["by"]["user"] == begun.erin.id
    assert (open_["link"], open_["answer"]) == (None, None)
    page = (await export(begun, "acme", "--format", "html")).out
    assert f'{asked}&amp;cid={begun.channel.id}">“{unknown}”</a>' in page

    begun.slack.fail_next("auth.test", status=503, times=9)
    page = (await export(begun, "acme")).out
    assert "Slack couldn't be reached, so the links" in page
    assert "](" not in page
    assert "how much later" in page
