"""Which of Slack's errors are temporary, which are final, and which nobody knows."""

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.core.errors import OnboardingError, Unavailable
from bot.slack.errors import NotNow, RateLimited, SlackRefused, translated


async def error_for(code: str, status: int = 200, **headers: str) -> OnboardingError:
    """Return our error for an answer of Slack's; without a code, it is a web page."""
    response = AsyncSlackResponse(
        client=AsyncWebClient(),
        http_verb="POST",
        api_url="https://slack.com/api/chat.postMessage",
        req_args={},
        data={"ok": False, "error": code} if code else "<html>",  # type: ignore[arg-type]
        headers=headers,
        status_code=status,
    )
    with pytest.raises(OnboardingError) as caught:
        async with translated("chat.postMessage"):
            raise SlackApiError("failed", response)  # type: ignore[no-untyped-call]
    return caught.value


@pytest.mark.parametrize(
    "code",
    [
        "external_channel_migrating",
        "update_failed",
        "team_added_to_org",
        "org_login_required",
        "service_unavailable",
        "request_timeout",
        "message_limit_exceeded",
        "team_quota_exceeded",
        "ratelimit",
        "rate_limited",
        "ratelimited",
    ],
)
async def test_a_temporary_error_means_the_call_was_not_made(code: str) -> None:
    assert isinstance(await error_for(code), NotNow)


@pytest.mark.parametrize("code", ["internal_error", "fatal_error"])
async def test_after_an_internal_error_part_of_the_call_may_have_been_made(code: str) -> None:
    error = await error_for(code)

    assert isinstance(error, Unavailable)
    assert not isinstance(error, NotNow)


@pytest.mark.parametrize("status", [401, 403, 407, 408, 425, 500, 502, 503, 504, 520])
async def test_a_web_page_instead_of_slacks_answer_is_an_outage(status: int) -> None:
    error = await error_for("", status)

    assert isinstance(error, Unavailable)
    assert not isinstance(error, NotNow)


@pytest.mark.parametrize(
    ("code", "status", "name"),
    [
        ("some_future_error", 200, "some_future_error"),
        ("accesslimited", 200, "accesslimited"),
        ("ekm_access_denied", 200, "ekm_access_denied"),
        ("unknown_method", 200, "unknown_method"),
        ("unknown_method", 501, "unknown_method"),
        ("", 501, "http_501"),
        ("", 404, "http_404"),
    ],
)
async def test_an_unknown_refusal_is_not_final(code: str, status: int, name: str) -> None:
    error = await error_for(code, status)

    assert isinstance(error, SlackRefused)
    assert (error.code, error.is_final) == (name, False)


@pytest.mark.parametrize(
    "code", ["channel_not_found", "is_archived", "token_revoked", "restricted_action_read_only"]
)
async def test_a_refusal_that_no_retry_fixes_is_final(code: str) -> None:
    error = await error_for(code)

    assert isinstance(error, SlackRefused)
    assert error.is_final


@pytest.mark.parametrize(
    ("retry_after", "seconds"), [("30", 30), ("0", 1), ("0.5", 1), ("86400", 3600)]
)
async def test_a_rate_limit_says_how_long_to_wait(retry_after: str, seconds: float) -> None:
    error = await error_for("ratelimited", 429, **{"Retry-After": retry_after})

    assert isinstance(error, RateLimited)
    assert error.seconds == seconds


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "soon"}])
async def test_a_rate_limit_without_a_number_is_temporary(headers: dict[str, str]) -> None:
    error = await error_for("ratelimited", 429, **headers)

    assert isinstance(error, NotNow)
    assert not isinstance(error, RateLimited)
