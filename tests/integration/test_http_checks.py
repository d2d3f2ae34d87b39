"""Checks declared by a guide, run over real HTTP."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from bot.guide import Guide, load
from bot.guide.http_checks import HttpChecks
from bot.onboarding.verification_report import Check, Outcome, Report
from bot.verification.http_checks import verify_http
from bot.verification.sender import RetryPolicy, Sender
from tests.wrenchbook import ACCOUNT, KEY, Wrenchbook

VALUES = {"account_number": ACCOUNT, "api_key": KEY}


@pytest.fixture
async def wrenchbook() -> AsyncIterator[Wrenchbook]:
    async with Wrenchbook() as running:
        yield running


@pytest.fixture
def guide(wrenchbook: Wrenchbook, tmp_path: Path) -> Guide:
    return load(wrenchbook.guide_in(tmp_path) / "guide.toml")


async def report(guide: Guide, checks: HttpChecks | None = None, **other: str) -> Report:
    async def no_sleep(_seconds: float) -> None:
        pass

    declared = checks or guide.checks
    assert isinstance(declared, HttpChecks)
    values = {name: SecretStr(value) for name, value in {**VALUES, **other}.items()}
    async with httpx.AsyncClient(trust_env=False) as http:
        sender = Sender(http, policy=RetryPolicy(answer=2), sleep=no_sleep)
        return await verify_http(guide, declared, sender, values, now=lambda: datetime.now(UTC))


def with_auth(guide: Guide, **auth: object) -> HttpChecks:
    return HttpChecks.model_validate({**guide.checks.model_dump(exclude={"basic"}), **auth})


def get_check(found: Report, check: str) -> Check:
    return next(result for result in found.checks if result.id == check)


async def test_correct_values_pass(guide: Guide, wrenchbook: Wrenchbook) -> None:
    found = await report(guide)

    assert found.outcome is Outcome.PASSED
    assert [check.title for check in found.checks] == [
        "Both credentials",
        "Account Number and API Key",
        "Jobs",
    ]
    assert [request.path_qs for request in wrenchbook.requests] == [
        "/v1/account",
        "/v1/jobs?limit=1",
    ]


async def test_a_wrong_value_fails_with_the_guides_remedy(guide: Guide) -> None:
    found = await report(guide, api_key="wb_000000000000000000000000")
    failed = get_check(found, "account")

    assert found.outcome is Outcome.FAILED
    assert "copy the account number again at step 4 and create a new key at step 5" in (
        failed.for_client
    )
    assert (failed.fields, failed.steps) == (("account_number", "api_key"), (4, 5))
    assert get_check(found, "jobs").outcome is Outcome.NOT_CHECKED
    assert "wb_0" not in found.model_dump_json()


@pytest.mark.parametrize(
    ("status", "html", "outcome", "text", "retry"),
    [
        (403, False, Outcome.FAILED, "with the box “Jobs” checked", False),
        (402, False, Outcome.FAILED, "turn it on (step 2)", False),
        (404, False, Outcome.UNKNOWN, "Wrenchbook's answer wasn't clear", False),
        (429, False, Outcome.UNKNOWN, "Wrenchbook asked us to slow down", True),
        (503, False, Outcome.UNKNOWN, "couldn't reach Wrenchbook", True),
        (302, False, Outcome.UNKNOWN, "couldn't reach Wrenchbook", True),
        # A gateway's page, whatever its status, says nothing about the key.
        (403, True, Outcome.UNKNOWN, "couldn't reach Wrenchbook", True),
        (200, True, Outcome.UNKNOWN, "couldn't reach Wrenchbook", True),
    ],
)
async def test_a_response_maps_to_the_guides_outcome_or_else_unknown(
    guide: Guide,
    wrenchbook: Wrenchbook,
    status: int,
    html: bool,
    outcome: Outcome,
    text: str,
    retry: bool,
) -> None:
    wrenchbook.statuses["/v1/jobs"] = status
    wrenchbook.html_paths = {"/v1/jobs"} if html else set()

    found = await report(guide)

    assert get_check(found, "jobs").outcome is outcome
    assert text in get_check(found, "jobs").for_client
    assert found.retry is retry
    assert not [request for request in wrenchbook.requests if request.path == "/elsewhere"]


async def test_a_token_is_fetched_once_and_used_for_every_request(
    guide: Guide, wrenchbook: Wrenchbook
) -> None:
    remedy = {"text": "Please copy both again.", "fields": ["account_number", "api_key"]}
    token = {
        "url": f"{wrenchbook.url}/token",
        "client_id": "account_number",
        "client_secret": "api_key",
        "title": "Both values",
        "passed": "They fit.",
        "remedies": {401: remedy},
    }
    checks = with_auth(guide, token=token)

    assert (await report(guide, checks)).outcome is Outcome.PASSED
    assert [request.path for request in wrenchbook.requests] == [
        "/token",
        "/v1/account",
        "/v1/jobs",
    ]
    refused = get_check(await report(guide, checks, account_number="99999"), "token")
    assert (refused.outcome, refused.title) == (Outcome.FAILED, "Both values")


async def test_the_key_can_be_sent_in_a_header(guide: Guide) -> None:
    checks = with_auth(guide, headers={"Authorization": "Key {api_key}"})

    assert (await report(guide, checks)).outcome is Outcome.PASSED
    refused = await report(guide, checks, api_key="wb_000000000000000000000000")
    assert refused.outcome is Outcome.FAILED


async def test_an_unsendable_value_is_named_and_no_request_is_made(
    guide: Guide, wrenchbook: Wrenchbook
) -> None:
    found = await report(guide, account_number="not a number")

    assert "Account Number (contains a space or stray character, step 4)" in (
        found.checks[0].for_client
    )
    assert found.fields == ("account_number",)
    assert not wrenchbook.requests
