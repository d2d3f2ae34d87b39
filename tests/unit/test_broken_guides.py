"""A broken guide file is rejected with the file and line of the mistake."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.guide import GuideError, load, parse
from bot.guide.loading import SERVICETITAN, source_of
from tests.wrenchbook import GUIDE

SOURCE = SERVICETITAN.read_text(encoding="utf-8")
WRENCHBOOK = source_of(GUIDE / "guide.toml")
WITH_ANSWERS = (
    SOURCE[SOURCE.index("options = [") : SOURCE.index("]\n\n", SOURCE.index("options = ["))] + "]\n"
)
LONG_NOTES = ", ".join(f'"{letter * 1900}"' for letter in "abc")


@dataclass(frozen=True)
class Mistake:
    """An edit of the guide: `old` becomes `new`, and the error is `line_offset` lines into it."""

    old: str
    new: str
    error: str
    line_offset: int = 0

    @property
    def source(self) -> str:
        assert SOURCE.count(self.old) == 1
        return SOURCE.replace(self.old, self.new)

    @property
    def line(self) -> int:
        return SOURCE[: SOURCE.index(self.old)].count("\n") + 1 + self.line_offset


MISTAKES = {
    "missing quotation mark": Mistake(
        'title = "Submit the Application"', 'title = "Submit the Application', "Illegal character"
    ),
    "duplicate key": Mistake(
        'title = "Submit the Application"\n',
        'title = "Submit the Application"\ntitle = "Twice"\n',
        "Cannot overwrite",
        line_offset=1,
    ),
    "missing number": Mistake(
        '[[phases.steps]]\nnumber = 7\ntitle = "Submit',
        '[[phases.steps]]\ntitle = "Submit',
        "number: Field required",
    ),
    "number spelled out": Mistake(
        'number = 7\ntitle = "Submit', 'number = "seven"\ntitle = "Submit', "valid integer"
    ),
    "gap in step numbers": Mistake(
        'number = 7\ntitle = "Submit', 'number = 8\ntitle = "Submit', "step 7 should be here"
    ),
    "gap in phase numbers": Mistake(
        'number = 3\ntitle = "Booking', 'number = 4\ntitle = "Booking', "phase 3 is missing"
    ),
    "question without answers": Mistake(
        WITH_ANSWERS, "options = []\n", "options: Tuple should have at least 1 item"
    ),
    "unknown credential": Mistake(
        'credentials = ["application_key"]',
        'credentials = ["api_key"]',
        "there is no credential “api_key”",
    ),
    "unknown credential to reveal": Mistake(
        'reveals = ["booking_provider_id"]',
        'reveals = ["tag"]',
        "there is no credential “tag”",
    ),
    "field that its step doesn't ask for": Mistake(
        "step = 22\nmin_length", "step = 21\nmin_length", "step 21 does not ask for"
    ),
    "field of a nonexistent step": Mistake(
        "step = 22\nmin_length", "step = 99\nmin_length", "step 99 does not ask for"
    ),
    "field without a hint": Mistake(
        'looks_like = "is a number, usually 8', 'looks_like = ""  # "', "looks_like: String"
    ),
    "invalid regular expression": Mistake(
        r"prefix = 'cid\.'", "prefix = 'cid('", "isn't a regular expression"
    ),
    "unknown key": Mistake(
        'number = 7\ntitle = "Submit',
        'number = 7\nheading = "Submit"\ntitle = "Submit',
        "heading: Extra inputs",
        line_offset=1,
    ),
    "title too long": Mistake(
        'title = "Submit the Application"', f'title = "{"x" * 111}"', "at most 110 characters"
    ),
    "empty title": Mistake(
        'title = "Submit the Application"', 'title = ""', "at least 1 character"
    ),
    "guide title too long to show beside a client's name": Mistake(
        'title = "ServiceTitan CRM Integration"', f'title = "{"x" * 61}"', "at most 60 characters"
    ),
    "body too long": Mistake(
        'body = "After verifying', f'body = "{"x" * 2000}', "at most 2000 characters"
    ),
    "step too long for one message": Mistake(
        'short = "Click “Create App”."\nbody',
        f"notes = [{LONG_NOTES}]\nbody",
        "too long for one message",
        line_offset=1,
    ),
    "table with eleven rows": Mistake(
        'rows = [\n    ["Organization"',
        'rows = [\n    ["Eleventh", "row"],\n    ["Organization"',
        "at most 10 items",
    ),
    "two verifying steps": Mistake(
        'title = "Retrieve the Application Key"',
        'verifies = true\ntitle = "Retrieve the Application Key"',
        "verifies",
    ),
    "no verifying step": Mistake(
        "verifies = true\n", "verifies = false\n", "one step must have “verifies = true”"
    ),
    "troubleshooting for a nonexistent step": Mistake(
        "steps = [8, 14]", "steps = [8, 26]", "one of these steps does not exist"
    ),
    "option that skips a nonexistent step": Mistake(
        "options = [\n",
        'options = [\n    { id = "other", label = "Neither", skips = [26] },\n',
        "a step that would be skipped does not exist",
    ),
    "misspelled figure key": Mistake(
        "shows = \"The form's list", "show = \"The form's list", "figure.show: Extra inputs"
    ),
}


def errors_in(source: str) -> list[str]:
    with pytest.raises(GuideError) as refused:
        parse(source, "guide.toml")
    return str(refused.value).splitlines()


@pytest.mark.parametrize("mistake", list(MISTAKES.values()), ids=list(MISTAKES))
def test_a_mistake_is_rejected_with_a_specific_message(mistake: Mistake) -> None:
    assert any(mistake.error in line for line in errors_in(mistake.source))


# A key that is missing everywhere has no line, so it's reported on the first one. If two
# steps verify, the second one is reported.
OTHER_LINES = {
    "no verifying step": 1,
    "two verifying steps": SOURCE[: SOURCE.index("verifies =")].count("\n") + 2,
}


@pytest.mark.parametrize("name", list(MISTAKES))
def test_a_mistake_is_rejected_with_its_line_number(name: str) -> None:
    mistake = MISTAKES[name]
    line = OTHER_LINES.get(name, mistake.line)

    reported = [problem for problem in errors_in(mistake.source) if mistake.error in problem]

    assert reported[0].startswith(f"guide.toml:{line}: ")


def test_all_mistakes_in_a_file_are_reported_together() -> None:
    source = SOURCE.replace('title = "Submit the Application"', 'title = ""')
    source = source.replace('title = "Initiate a New Application"', 'title = ""')

    assert len(errors_in(source)) == 2


def test_a_duplicate_credential_is_rejected() -> None:
    start = SOURCE.index("[[credentials]]")
    block = SOURCE[start : SOURCE.index("[[credentials]]", start + 1)]
    appended = SOURCE + "\n" + block
    line = (SOURCE + "\n").count("\n") + 2

    assert errors_in(appended) == [
        f"guide.toml:{line}: credentials.5.id: there is a credential “tenant_id” already"
    ]


def test_a_missing_top_level_key_is_reported() -> None:
    assert errors_in(SOURCE.replace('version = "1.1"\n', "")) == [
        "guide.toml:1: version: Field required"
    ]


def test_a_truncated_file_is_rejected_at_its_last_line() -> None:
    cut = SOURCE[: SOURCE.index("[phases.steps.choice]") + len("[phases.steps")]

    assert errors_in(cut)[0].startswith(f"guide.toml:{cut.count(chr(10)) + 1}: ")


# Edits of a guide that defines its own HTTP checks, with the expected error.
CHECK_MISTAKES = {
    "missing expected status": ("expect = 200\n", "", "requests.0.expect: Field required"),
    "URL without TLS": (
        "https://api",
        "http://api",
        "checks.api: must be an https",
    ),
    "check with an undeclared field": (
        'user = "account_number"',
        'user = "account"',
        "checks.basic.user: there is no credential “account”",
    ),
    "remedy with an unknown step": (
        'steps = ["add_on"]',
        'steps = ["addon"]',
        "remedies.402.steps: no step has the key “addon”",
    ),
    "text with an unknown step": (
        "(step {step.add_on})",
        "(step {step.addon})",
        "remedies.402.text: no step has the key “addon”",
    ),
    "remedy for an undeclared field": (
        'fields = ["api_key"]',
        'fields = ["key"]',
        "remedies.403.fields: there is no credential “key”",
    ),
    "unknown placeholder": (
        "may not read jobs",
        "may not {read}",
        "nothing fills in “{read}”",
    ),
    "remedy for a redirect": ("remedies.402]", "remedies.302]", "a redirect isn't followed"),
    "duplicate request id": ('id = "jobs"', 'id = "account"', "an id of its own"),
    "two authentication methods": (
        "[checks.basic]",
        '[checks.token]\nurl = "https://a.example"\nclient_id = "account_number"\n'
        'client_secret = "api_key"\ntitle = "Both"\npassed = "Yes."\n\n[checks.basic]',
        "“token” and “basic” exclude each other",
    ),
    "no authentication method": (
        '[checks.basic]\nuser = "account_number"\npassword = "api_key"\n',
        "",
        "must say how to sign in",
    ),
    "unknown kind of check": ('by = "http"', 'by = "ftp"', "Input tag 'ftp'"),
    "id that differs from the folder": (
        'id = "wrenchbook"',
        'id = "other"',
        "must be “wrenchbook”",
    ),
    "duplicate step key": (
        'key = "turn_on"',
        'key = "add_on"',
        "another step has the key “add_on”",
    ),
    "question for an unknown passage": ('"step:5:note:1"', '"step:5:note:9"', "no such passage"),
}


@pytest.mark.parametrize(("old", "new", "error"), CHECK_MISTAKES.values(), ids=CHECK_MISTAKES)
def test_a_mistake_in_the_checks_is_rejected_with_file_and_line(
    old: str, new: str, error: str
) -> None:
    assert WRENCHBOOK.count(old) >= 1

    with pytest.raises(GuideError) as refused:
        parse(WRENCHBOOK.replace(old, new, 1), "wrenchbook/guide.toml")

    (line,) = [line for line in str(refused.value).splitlines() if error in line]
    assert re.match(r"wrenchbook/(guide|checks|asked)\.toml:\d+: ", line)


def test_a_mistake_is_reported_in_the_file_that_contains_it() -> None:
    wrong = WRENCHBOOK.replace('steps = ["add_on"]', 'steps = ["addon"]')
    checks = (GUIDE / "checks.toml").read_text("utf-8")
    line = checks[: checks.index('steps = ["add_on"]')].count("\n") + 1

    with pytest.raises(GuideError, match=rf"^wrenchbook/checks\.toml:{line}: "):
        parse(wrong, "wrenchbook/guide.toml")


def test_a_guide_folder_without_checks_is_rejected(tmp_path: Path) -> None:
    folder = tmp_path / "wrenchbook"
    folder.mkdir()
    (folder / "guide.toml").write_bytes((GUIDE / "guide.toml").read_bytes())

    with pytest.raises(GuideError, match=r"checks: are missing"):
        load(folder / "guide.toml")


def test_servicetitan_checks_require_every_remedy_and_credential() -> None:
    source = source_of(SERVICETITAN)
    start = source.index("[checks.remedies.tag_inactive]")
    without = source[:start] + source[source.index("# Most likely: ServiceTitan") :]

    assert "nothing is said about tag_inactive" in errors_in(without)[0]
    renamed = source.replace('"booking_provider_id"', '"provider_id"')
    found = "\n".join(errors_in(renamed))
    assert "needs the credential “booking_provider_id”" in found
    assert "ServiceTitan knows no “provider_id”" in found
