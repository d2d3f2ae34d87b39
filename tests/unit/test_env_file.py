"""`.env` is read exactly as written, or startup stops with the file, the line, and a fix."""

import pytest

from bot.app import settings
from tests.unit.environment import REQUIRED, Environment

LINES = [f"{name}={value}" for name, value in REQUIRED.items()]
VALID_SETTINGS = "\n".join([*LINES, ""])
REST = VALID_SETTINGS.replace(f"ENGINEERS={REQUIRED['ENGINEERS']}\n", "")
NEXT = len(LINES) + 1


def errors(_env: Environment) -> list[str]:
    with pytest.raises(settings.SettingsError) as refused:
        settings.load()
    return str(refused.value).splitlines()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_env_file_may_have_a_bom_or_crlf_line_endings(
    env: Environment, encoding: str, end: str
) -> None:
    env.file.write_bytes(
        (VALID_SETTINGS + "# naïve\nPORT=8080\n").replace("\n", end).encode(encoding)
    )

    assert settings.load().port == 8080


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_utf_16_file_as_saved_by_powershell_is_rejected(env: Environment, encoding: str) -> None:
    env.file.write_bytes(VALID_SETTINGS.encode(encoding))

    (line,) = errors(env)

    assert line.startswith(".env, line 1: is saved as UTF-16")


def test_a_non_utf_8_character_is_reported_with_its_line(env: Environment) -> None:
    env.file.write_bytes(f"{VALID_SETTINGS}# ok\n# Ren\xe9\n".encode("latin-1"))

    (line,) = errors(env)

    assert line == (f".env, line {NEXT + 1}: has a letter that isn't UTF-8; save the file as UTF-8")


BROKEN = [
    "s3cr3t",
    "export s3cr3t",
    "REMIND_AFTER",
    'ENGINEERS="s3cr3t',
    "ENGINEERS='s3cr3t",
    'ENGINEERS="s3cr3t"x',
    "ENGINEERS: s3cr3t",
    "set ENGINEERS=s3cr3t",
    '$env:ENGINEERS = "s3cr3t"',
    "// s3cr3t",
    "=s3cr3t",
    "- ENGINEERS=s3cr3t",
]


@pytest.mark.parametrize("line", BROKEN)
def test_a_malformed_line_is_reported_without_its_content(env: Environment, line: str) -> None:
    env.file.write_text(f"{VALID_SETTINGS}\n\n{line}\nPORT=8080\n")

    (problem,) = errors(env)

    assert problem.startswith(f".env, line {NEXT + 2}: ")
    assert "s3cr3t" not in problem


def test_a_missing_closing_quote_does_not_swallow_later_lines(env: Environment) -> None:
    env.file.write_text('ENGINEERS="U0AAA\n' + REST + 'DATABASE_URL="sqlite:///a.db"\n')

    (problem,) = errors(env)

    assert problem.startswith(".env, line 1: ENGINEERS: the value's quotation marks don't match")


def test_a_quote_closed_on_a_later_line_is_reported(env: Environment) -> None:
    env.file.write_text(VALID_SETTINGS + 'OTHER="U0AAA\nPORT=8080\nTHIRD="\n')

    (problem,) = errors(env)

    assert problem.startswith(f".env, line {NEXT}: the quotation mark isn't closed")


def test_unrelated_variables_may_have_multiline_values(env: Environment) -> None:
    env.file.write_text(VALID_SETTINGS + 'THEIR_KEY="-----BEGIN\nabc\n-----END"\nPORT=8080\n')

    assert settings.load().port == 8080


def test_variables_inside_values_are_not_expanded(env: Environment) -> None:
    env.file.write_text(VALID_SETTINGS + "DATABASE_URL=postgresql://bot:a${HOME}b@db/bot\n")

    assert settings.load().database_url == "postgresql://bot:a${HOME}b@db/bot"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ENGINEER=U0AAA", "ENGINEERS"),
        ("SLACK_BOT_TOKN=xoxb-s3cr3t", "SLACK_BOT_TOKEN"),
        ("SLACK-BOT-TOKEN=xoxb-s3cr3t", "SLACK_BOT_TOKEN"),
        ("export DATABASE_URI=sqlite:///a.db", "DATABASE_URL"),
        ("prot=8080", "PORT"),
    ],
)
def test_a_misspelled_setting_is_reported_with_a_suggestion(
    env: Environment, written: str, meant: str
) -> None:
    rest = "\n".join(line for line in LINES if not line.startswith(f"{meant}="))
    env.file.write_text(f"{rest}\n{written}\n")

    (problem,) = errors(env)

    assert f"isn't a setting; did you mean {meant}?" in problem
    assert problem.startswith(f".env, line {len(rest.splitlines()) + 1}: ")
    assert "s3cr3t" not in problem


def test_a_misspelled_environment_variable_gets_a_suggestion(env: Environment) -> None:
    (problem,) = env.errors(ENGINEERS=None, ENGINEER="U0AAA")

    assert problem == "ENGINEER: isn't a setting; did you mean ENGINEERS?"


@pytest.mark.parametrize(
    "variable",
    ["SLACK_CLIENT_SECRET", "SLACK_API_TOKEN", "HOME", "HOSTNAME", "POSTGRES_URL", "PGPORT"],
)
def test_unrelated_variables_are_ignored(
    env: Environment, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    env.file.write_text(f"{VALID_SETTINGS}{variable}=x\n")
    monkeypatch.setenv(variable, "x")

    assert settings.load().port == 3000


def test_a_duplicate_setting_is_reported_with_both_lines(env: Environment) -> None:
    env.file.write_text(f"PORT=1\n{VALID_SETTINGS}port=2\n")

    (problem,) = errors(env)

    assert problem == (f".env, line {NEXT + 1}: PORT is set on line 1 already; keep one of the two")


def test_a_folder_in_place_of_the_env_file_is_reported(env: Environment) -> None:
    env.file.mkdir()

    (problem,) = env.errors()

    assert problem.startswith(".env: is a folder")


def test_all_problems_are_reported_together(env: Environment) -> None:
    env.file.write_text("nonsense\nSLACK_BOT_TOKN=x\nPORT=0\nHOST=a b\nPORT=1\n")

    assert [line.partition(":")[0] for line in errors(env)] == [
        ".env, line 1",
        ".env, line 2",
        ".env, line 5",
        "HOST",
        "PORT",
    ]
