"""What a verification found, and how the client is told: its outcome, words, and what to do.

The words that name a guide's steps and credentials are in the guide's checks.toml; those here fit
every guide that is checked with ServiceTitan.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.guide import Guide
from bot.guide.remedies import Remedy, with_steps
from bot.onboarding.verification_report import Check, Outcome, Report

# Every check, in the order of a report.
TITLES = {
    "shape": "{all} credentials",
    "token": "Client ID and Client Secret",
    "tenant": "Tenant ID",
    "application_key": "Application Key",
    "permissions": "Permissions",
    "writes": "Write permissions",
    "booking_provider": "Booking Provider ID",
    "booking_provider_tag": "Booking Provider tag",
    "test_booking": "Test booking",
}
# Only if the token allows the request, or if an engineer asked for a test booking.
OPTIONAL = frozenset({"booking_provider_tag", "test_booking"})

PASSED = {
    "shape": "{all} look right.",
    "token": "ServiceTitan accepts the Client ID and the Client Secret.",
    "tenant": "The Tenant ID matches.",
    "application_key": "ServiceTitan accepts the Application Key.",
    "permissions": "We can read all eight kinds of data.",
    "writes": "HeavySet Tech has every write permission it needs.",
    "booking_provider": "The Booking Provider ID works.",
    "booking_provider_tag": "The booking provider tag exists and is active.",
}


ALL = ("The", "The", "Both", "All three", "All four", "All five", "All six", "All seven")


class Meaning(NamedTuple):
    """What a cause means for the report, and its words where they are the same in every guide."""

    outcome: Outcome
    for_client: str = ""
    required: bool = True
    retry: bool = False


# Other causes are failures, whose words and remedies are the guide's.
MEANINGS = {
    "malformed": Meaning(Outcome.FAILED, "Please copy these again: {problems}."),
    # Not determined: neither failed nor passed.
    "away": Meaning(
        Outcome.UNKNOWN,
        "We couldn't reach {platform} just now. It's nothing you entered. We'll try again "
        "automatically.",
        retry=True,
    ),
    "rate_limited": Meaning(
        Outcome.UNKNOWN,
        "{platform} asked us to slow down. It's nothing you entered. We'll try again shortly.",
        retry=True,
    ),
    "our_problem": Meaning(
        Outcome.UNKNOWN, "There is a problem on our side. HeavySet Tech has been told."
    ),
    "unclear": Meaning(
        Outcome.UNKNOWN,
        "{platform}'s answer wasn't clear. Nothing for you to do; our engineers will take a look.",
    ),
    "bookings_open": Meaning(
        Outcome.UNKNOWN,
        "Everything else can be read. We'll check bookings once the Booking Provider ID is right.",
    ),
    # The test booking. It passes with a text of its own, because somebody may have to dismiss it.
    "booking_dismissed": Meaning(
        Outcome.PASSED,
        "Our test booking ({number}) went through, and we dismissed it. It stays in the history "
        "as Dismissed.",
    ),
    "booking_to_dismiss": Meaning(
        Outcome.PASSED,
        "Our test booking ({number}, “TEST - please dismiss”) went through, but we can't "
        "dismiss it from here. Please dismiss it for us: Calls → Bookings → the booking → "
        "Dismiss.",
    ),
    "booking_lost": Meaning(
        Outcome.UNKNOWN,
        "We sent a test booking but can't find it in ServiceTitan. Nothing for you to do; a "
        "HeavySet engineer may try again. If “TEST - please dismiss” shows up later, please "
        "dismiss it.",
    ),
    "booking_refused": Meaning(
        Outcome.UNKNOWN,
        "ServiceTitan didn't accept our test booking. It's nothing you did; our engineers will "
        "take a look.",
    ),
    "booking_held_back": Meaning(
        Outcome.UNKNOWN,
        "We couldn't send the test booking just now. It's nothing you entered. We'll try again "
        "automatically.",
        retry=True,
    ),
    "no_claims": Meaning(
        Outcome.UNKNOWN,
        "We can't tell yet; the next check will show it.",
        required=False,
    ),
    "writes_not_proved": Meaning(
        Outcome.UNKNOWN,
        "Not confirmed yet. Nothing for you to do; a HeavySet engineer will check it.",
        required=False,
    ),
    # Not checked, because something else has to pass first.
    "named_above": Meaning(
        Outcome.NOT_CHECKED, "See the missing permissions above.", required=False
    ),
    "needs_bookings": Meaning(Outcome.NOT_CHECKED, "We'll check this once we can read bookings."),
    "later": Meaning(Outcome.NOT_CHECKED, "We'll check this once the items above are fixed."),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's result: its cause, if it did not pass, and what the engineers are told.

    `words` fill the gaps of the client's text. `problems` are what is wrong with the shape of
    credentials, by field. `title` and `passed` are those of a check that the guide declares.
    """

    check: str
    for_engineer: str
    cause: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    optional: bool = False
    title: str = ""
    passed: str = ""

    @property
    def _meaning(self) -> Meaning:
        default = Meaning(Outcome.FAILED if self.cause else Outcome.PASSED)
        return MEANINGS.get(self.cause, default)

    @property
    def outcome(self) -> Outcome:
        return self._meaning.outcome

    @property
    def required(self) -> bool:
        return self._meaning.required and not self.optional

    def check_of(self, guide: Guide) -> Check:
        """Return what a report says of it, in the words of `guide`."""
        remedy = guide.checks.remedy(self.cause)
        known = {one.id: one.step for one in guide.credentials}
        fields, keys = (remedy.fields, remedy.steps) if remedy else ((), ())
        steps = [guide.numbers[key] for key in keys if key in guide.numbers]
        return Check(
            id=self.check,
            title=self.title or TITLES[self.check].format(**_words(guide)),
            outcome=Outcome.UNKNOWN if remedy and remedy.ours else self.outcome,
            for_client=self._text(guide, remedy),
            for_engineer=with_steps(self.for_engineer, guide.numbers),
            fields=tuple(self.problems or (name for name in fields if name in known)),
            steps=tuple(steps or sorted({known[name] for name in self.problems})),
            cause=self.cause,
            required=self.required,
            retry=self._meaning.retry,
        )

    def _text(self, guide: Guide, remedy: Remedy | None) -> str:
        if remedy:
            text = with_steps(remedy.text, guide.numbers)
        elif self.cause:
            text = self._meaning.for_client
        else:
            text = self.passed or PASSED[self.check]
        words = {**_words(guide), "problems": listed_problems(guide, self.problems), **self.words}
        return text.format(**words)


def _words(guide: Guide) -> Mapping[str, str]:
    return {"platform": guide.platform, "all": ALL[min(len(guide.credentials), len(ALL) - 1)]}


def listed_problems(guide: Guide, problems: Mapping[str, str]) -> str:
    """Return what is wrong with the shape of credentials, by field, in words."""
    told = ((guide.field(name), problem) for name, problem in problems.items())
    return "; ".join(f"{one.label} ({problem}, step {one.step})" for one, problem in told)


def report_of(
    guide: Guide, findings: Iterable[Finding], began: datetime, ended: datetime, environment: str
) -> Report:
    """Return what was found as a report, in the words of `guide`."""
    return Report(
        checks=tuple(one.check_of(guide) for one in findings),
        started_at=began,
        duration_ms=milliseconds(ended - began),
        environment=environment,
    )


def milliseconds(elapsed: timedelta) -> int:
    return round(elapsed.total_seconds() * 1000)
