"""A notice about a posted secret stays resolved once it is resolved."""

from bot.onboarding.credentials import destroy_credentials, enter_credentials
from bot.onboarding.posted_secrets import record_posted_secret
from bot.onboarding.questions import ask_for_help, send_reply
from bot.onboarding.redaction import HIDDEN
from bot.onboarding.throttling import MAX_FINGERPRINTS
from bot.views.posted_secret import posted_secret_message
from tests.builders import (
    ALL_FIELDS,
    MINUTE,
    NOW,
    a_client_admin,
    a_completed_onboarding,
    an_engineer,
    an_onboarding,
)

HOUR = 60 * MINUTE


def test_a_resolved_notice_stays_resolved_after_another_secret_is_posted() -> None:
    onboarding = an_onboarding(at_step=22)
    for hours in (1, 2):
        now = onboarding.active_at + hours * 2 * HOUR
        posted = record_posted_secret(onboarding, ["client_secret"], a_client_admin(), now)
        entered = enter_credentials(
            posted.onboarding, 22, {"client_secret": "••••"}, a_client_admin(), now + HOUR
        )
        onboarding = entered.onboarding if hours == 1 else posted.onboarding

    first, second = (
        posted_secret_message(onboarding, secret) for secret in onboarding.posted_secrets
    )
    assert "has been replaced" in first.text
    assert "create a new Client Secret" in second.text


def test_a_notice_asks_for_nothing_once_credentials_are_deleted() -> None:
    onboarding = a_completed_onboarding()
    now = onboarding.active_at + HOUR
    posted = record_posted_secret(onboarding, ["client_secret"], a_client_admin(), now).onboarding
    deleted = destroy_credentials(posted, an_engineer(), now + 2280 * HOUR).onboarding

    text = posted_secret_message(deleted, deleted.posted_secrets[0]).text
    assert "no longer stored" in text
    assert "create a new" not in text


def test_a_question_and_a_reply_that_quote_a_posted_secret_are_hidden_right_away() -> None:
    first, second, third = (NOW + hours * HOUR for hours in (7, 8, 9))
    asked = ask_for_help(an_onboarding(at_step=19), 19, "Is q7w5 right?", a_client_admin(), first)
    replied = asked.then(send_reply, "Yes, q7w5 is.", an_engineer(), second)

    after = record_posted_secret(
        replied.onboarding, ["client_secret"], a_client_admin(), third, texts=[first, second]
    ).onboarding

    assert (after.questions[0].text, after.team_replies[0].text) == (HIDDEN, HIDDEN)


def test_a_posted_tenant_id_does_not_count_as_an_exposed_secret() -> None:
    onboarding = an_onboarding(at_step=22, credentials=ALL_FIELDS)
    change = record_posted_secret(onboarding, ["tenant_id"], a_client_admin(), NOW + 9 * HOUR)

    assert change.onboarding.exposed == ()
    notice = posted_secret_message(change.onboarding, change.onboarding.posted_secrets[0])
    assert "No new one is needed" in notice.text


def test_a_notice_remembers_a_limited_number_of_repeated_values() -> None:
    """Each fingerprint is compared with every value that is entered, which takes a while."""
    onboarding, ann = an_onboarding(at_step=19), a_client_admin()
    for minute in range(3):
        marks = [f"{minute}-{number:02}" for number in range(MAX_FINGERPRINTS - 5)]
        now = onboarding.active_at + minute * MINUTE
        onboarding = record_posted_secret(
            onboarding, ["client_secret"], ann, now, fingerprints=marks
        ).onboarding

    [notice] = onboarding.posted_secrets
    assert len(notice.fingerprints) == MAX_FINGERPRINTS
    assert set(notice.fingerprints) >= {f"0-{number:02}" for number in range(MAX_FINGERPRINTS - 5)}
