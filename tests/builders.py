"""Builders of valid objects: a test specifies only what matters to it."""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count

from bot import guide as guides
from bot.guide import Guide, checks
from bot.guide.credential_fields import mask
from bot.onboarding import Change, EventKind, Onboarding, start
from bot.onboarding.credentials import enter_credentials
from bot.onboarding.people import Actor, Role
from bot.onboarding.steps import choose_option, finish_step
from bot.onboarding.verification_report import Check, Outcome, Report
from bot.onboarding.verifications import finish_verification, request_verification
from bot.verification import findings

# A Monday, at half past nine in London.
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

HOME_TEAM, CLIENT_TEAM = "T0HEAVYSET", "T0ACME"
ENGINEER, CLIENT_ADMIN, OTHER_ADMIN = "U0ERIN", "U0ANN", "U0BEN"
CHANNEL, ROOT_TS = "C0ACME", "1795426200.000100"
ONBOARDING_ID = "0123456789abcdef"

GUIDE = guides.load()
# An earlier version, which ended with the client's part.
OLDER_GUIDE = Guide.model_validate(
    {**GUIDE.model_dump(), "version": "0.9", "phases": GUIDE.model_dump()["phases"][:5]}
)
ALL_FIELDS = tuple(field.id for field in GUIDE.credentials)
# Of typical shapes, and all different.
VALUES: Mapping[str, str] = {
    "tenant_id": "1122334455",
    "client_id": "cid.qs0h3fdl7yxw2mzk9v4bn8tpa",
    "client_secret": "cs1.r5uj1c0e8gq7z2xw9k4vt6ym3nb0hs5pd8fl2aq7iz4ow9ge1c",
    "application_key": "ak1.m3w8k1zq6p0t5vb9xh2dn7fys",
    "booking_provider_id": "987654321",
}


def an_engineer(user_id: str = ENGINEER, team_id: str = HOME_TEAM) -> Actor:
    """An engineer of HeavySet."""
    return Actor(user_id, team_id, Role.ENGINEER)


def a_client_admin(user_id: str = CLIENT_ADMIN, team_id: str = CLIENT_TEAM) -> Actor:
    """An admin of the client, from the client's own workspace."""
    return Actor(user_id, team_id, Role.CLIENT_ADMIN)


def a_check(
    outcome: Outcome = Outcome.PASSED,
    *,
    title: str = "Client ID and Client Secret",
    fields: tuple[str, ...] = (),
    steps: tuple[int, ...] = (),
    required: bool = True,
    retry: bool = False,
) -> Check:
    """One check of a report."""
    return Check(
        id="token",
        title=title,
        outcome=outcome,
        for_client=f"{title}: words for the client.",
        for_engineer=f"{title}: HTTP 200, 12 ms, words for the engineer.",
        fields=fields,
        steps=steps,
        required=required,
        retry=retry,
    )


def a_report(
    outcome: Outcome = Outcome.PASSED,
    fields: tuple[str, ...] = (),
    *,
    retry: bool = False,
    at: datetime = NOW,
) -> Report:
    """A report with one check; `fields` are those to enter again, at the guide's steps."""
    steps = tuple(sorted({GUIDE.field(name).step for name in fields}))
    check = a_check(outcome, fields=fields, steps=steps, retry=retry)
    return Report(checks=(check,), started_at=at, duration_ms=812, environment="production")


PASSED = a_report()
# Every cause of a finding.
CAUSES = (*checks.CAUSES, *findings.MEANINGS)


def finding(check: str, cause: str, for_engineer: str, **words: str) -> Check:
    """A check that found `cause`, worded by the guide."""
    return findings.Finding(check, for_engineer, cause, words).check_of(GUIDE)


def passed(check: str, for_engineer: str) -> Check:
    """A check that passed, worded by the guide."""
    return findings.Finding(check, for_engineer).check_of(GUIDE)


# For the placeholders in the wording of remedies.
PLACEHOLDERS = {
    "missing": "Read: Leads",
    "problems": "Tenant ID (missing)",
    "number": "500000001",
    "other": "integration",
    "here": "production",
}


def a_new_onboarding(
    *,
    guide: Guide = GUIDE,
    client_name: str = "Acme Plumbing",
    client_admins: tuple[str, ...] = (CLIENT_ADMIN,),
    now: datetime = NOW,
) -> Change:
    """An onboarding that has just started, with its event."""
    return start(
        ONBOARDING_ID,
        guide,
        client_name=client_name,
        channel=CHANNEL,
        engineer=ENGINEER,
        client_admins=client_admins,
        actor=an_engineer(),
        now=now,
    )


def an_onboarding(
    *,
    at_step: int = 1,
    account: str = "new",
    credentials: Collection[str] | None = None,
    report: Report | None = PASSED,
    guide: Guide = GUIDE,
    client_name: str = "Acme Plumbing",
    client_admins: tuple[str, ...] = (CLIENT_ADMIN,),
) -> Onboarding:
    """An onboarding whose current step is `at_step`, a minute a step, started at NOW.

    `account` answers the guide's question. `credentials` are the values entered; by default
    those of the steps before. With all of them in, the verification found `report`; if that is
    None, it is still running.
    """
    started = a_new_onboarding(guide=guide, client_name=client_name, client_admins=client_admins)
    onboarding, times = started.onboarding, _minutes()
    entered_fields = [
        field
        for field in guide.credentials
        if (field.step < at_step if credentials is None else field.id in credentials)
    ]
    # A failed check blocks the client's last step, so it ran afterwards.
    failed = report is not None and report.outcome is Outcome.FAILED
    first = PASSED if failed and at_step > guide.last_credential_step else report
    early = [field.id for field in entered_fields if field.step >= at_step]
    while (step := onboarding.current) and step.number < at_step:
        if entered := [field.id for field in entered_fields if field.step == step.number]:
            onboarding = with_credentials(onboarding, entered, first, now=next(times))
        onboarding = advanced(onboarding, account=account, now=next(times))
    if first is not report and report:
        again = request_verification(onboarding, an_engineer(), next(times)).onboarding
        return verified(again, report, now=next(times))
    return with_credentials(onboarding, early, report, now=next(times)) if early else onboarding


def a_completed_onboarding() -> Onboarding:
    """An onboarding whose final verification passed."""
    onboarding = an_onboarding(at_step=25)
    later = onboarding.active_at + MINUTE
    asked = request_verification(onboarding, an_engineer(), later).onboarding
    return verified(asked, PASSED, now=later)


def advanced(onboarding: Onboarding, *, account: str = "new", now: datetime = NOW) -> Onboarding:
    """The onboarding after its current step was finished by its owner."""
    step = onboarding.current
    assert step
    if step.choice:
        return choose_option(onboarding, step.number, account, a_client_admin(), now).onboarding
    client = onboarding.guide.phase_of(step.number).owner is guides.Owner.CLIENT
    actor = a_client_admin() if client else an_engineer()
    return finish_step(onboarding, step.number, actor, now).onboarding


def with_credentials(
    onboarding: Onboarding,
    fields: Collection[str] = ALL_FIELDS,
    report: Report | None = None,
    *,
    now: datetime = NOW,
) -> Onboarding:
    """The onboarding after `fields` were entered, and verified with `report` if those were all."""
    masks = {name: mask(VALUES.get(name, f"value-of-{name}")) for name in fields}
    step = onboarding.current.number if onboarding.current else 0
    after = enter_credentials(onboarding, step, masks, a_client_admin(), now).onboarding
    return verified(after, report, now=now) if report and after.verification else after


def verified(onboarding: Onboarding, report: Report, *, now: datetime = NOW) -> Onboarding:
    """The onboarding after the verification that is awaited found `report`."""
    run = onboarding.verification
    assert run
    return finish_verification(onboarding, run, report, now).onboarding


def kinds(change: Change) -> list[EventKind]:
    """The kinds of a change's events, in order."""
    return [event.kind for event in change.events]


def states(onboarding: Onboarding) -> str:
    """The states of all steps, a letter each: d(one), s(kipped), c(urrent), w(aiting)."""
    return "".join(step.state.value[0] for step in onboarding.steps)


def _minutes() -> Iterator[datetime]:
    return (NOW + MINUTE * number for number in count(1))
