"""Every path, make target, command, option, setting, and test named in the docs exists."""

import fnmatch
import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from bot.app.settings import SECRETS, Settings
from bot.cli.main import main
from bot.cli.manifest import manifest_for

ROOT = Path(__file__).parents[2]
PAGES = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "tests/README.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
]
# Files that the docs mention and that a command or someone else creates.
GENERATED_FILES = {"bench.json", "onboarding.db", "acme.html", "manifest.json", "sbom.json"}
OTHER_VARIABLES = {
    *("HTTP_PROXY", "HTTPS_PROXY", "SSL_CERT_FILE", "TEST_DATABASE_URL", "ON_SQLITE", "FILE"),
    *(
        "ON_BOTH",
        "ON_POSTGRESQL",
        "HEAD",
        "LOG",
        "ONBOARDING",
        "NAME",
        "POST",
        "GET",
        "EMAIL",
        "REPOSITORY",
        "PYTHON",
    ),
}
FILE = re.compile(r"[\w.*-]+\.(?:cfg|db|html|json|lock|md|py|service|sql|toml|txt|yaml|yml)")


def missing_names(text: str, page: str) -> list[str]:
    """Return a line for each thing that `text` names and that doesn't exist."""
    folder = (ROOT / page).parent
    named = [
        *(("link", target) for target in re.findall(r"\]\(([^)\s]+)\)", text)),
        *(("code", code) for code in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)),
        *(("code", line) for block in _blocks(text) for line in block.splitlines()),
    ]
    return [
        f"{page}: {name}"
        for kind, name in named
        for problem in (_link(name, folder) if kind == "link" else _code(name))
        if problem
    ]


def _blocks(text: str) -> list[str]:
    """The code blocks that are commands, not drawings."""
    return re.findall(r"^```(?:sh)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def _link(target: str, folder: Path) -> Iterator[bool]:
    if "://" in target or target.startswith("mailto:"):
        return
    path, _, anchor = target.partition("#")
    file = folder / path if path else None
    yield file is not None and not file.exists()
    if anchor and file and file.suffix == ".md" and file.exists():
        yield anchor not in _anchors(file.read_text(encoding="utf-8"))


def _anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to the headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _code(text: str) -> Iterator[bool]:
    for target in re.findall(r"(?:^|&& )make ([a-z][a-z-]*)", text):
        yield target not in _targets()
    for words in re.findall(r"(?:^|bin/|&& |\| ?|exec bot )onboarding ((?:[a-z-]+ ?)+.*)", text):
        yield not _is_command(words.split())
    if re.fullmatch(r"[A-Z][A-Z0-9]+(_[A-Z0-9]+)+|HOST|PORT|ENGINEERS", text.partition("=")[0]):
        yield text.partition("=")[0] not in _settings()
    if re.fullmatch(r"[\w.*/-]+", text):
        yield not _exists(text.partition("::")[0])
    if re.fullmatch(r"test_\w+", text):
        yield not any(f"def {text}(" in source for source in _test_sources())


def _exists(name: str) -> bool:
    """Whether a name that looks like one of our paths exists; other names pass."""
    first, slash, _ = name.partition("/")
    if slash and first in _folders():
        return any(ROOT.glob(name.rstrip("/")))
    if FILE.fullmatch(name) and name not in GENERATED_FILES:
        return bool(fnmatch.filter({path.rpartition("/")[2] for path in _files()}, name))
    return True


@cache
def _files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for path in listed.stdout.splitlines() if (ROOT / path).exists()]


@cache
def _folders() -> set[str]:
    return {path.partition("/")[0] for path in _files() if "/" in path}


@cache
def _targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))


@cache
def _settings() -> set[str]:
    ours = {name.upper() for name in Settings.model_fields}
    return ours | {f"{name}_FILE" for name in SECRETS} | OTHER_VARIABLES


@cache
def _test_sources() -> list[str]:
    return [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]


def _is_command(words: list[str]) -> bool:
    command: click.Command = main
    while words and isinstance(command, click.Group) and re.fullmatch(r"[a-z-]+", words[0]):
        if words[0] not in command.commands:
            return False
        command, words = command.commands[words[0]], words[1:]
    options = {option for parameter in command.params for option in parameter.opts}
    used = re.findall(r"(?:^|\s)(--[a-z-]+)", " ".join(words).partition("#")[0])
    return set(used) <= options | {"--help"}


@pytest.mark.parametrize("page", PAGES)
def test_everything_named_in_the_docs_exists(page: str) -> None:
    assert missing_names((ROOT / page).read_text(encoding="utf-8"), page) == []


@pytest.mark.parametrize(
    "text",
    [
        "`bot/nowhere.py`",
        "`nowhere.py`",
        "`tests/unit/nowhere/`",
        "[this](nowhere.md)",
        "[this](CONTRIBUTING.md#nowhere)",
        "`make nothing`",
        "```\nmake nothing\n```",
        "`onboarding nothing`",
        "`.venv/bin/onboarding db nothing`",
        "`onboarding run --nothing`",
        "`NO_SUCH_SETTING`",
        "`NO_SUCH_SETTING=1`",
        "`test_nothing_like_this`",
    ],
)
def test_names_that_do_not_exist_are_reported(text: str) -> None:
    assert len(missing_names(text, "README.md")) == 1


def test_the_operators_page_lists_every_setting() -> None:
    page = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[A-Z].*?`) \|", page, re.MULTILINE)

    listed = [name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)]

    assert sorted(listed) == sorted(name.upper() for name in Settings.model_fields)


def test_the_install_page_explains_each_scope_once() -> None:
    reasons = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*`.*?) \| ", reasons, re.MULTILINE)

    named = [scope for row in rows for scope in re.findall(r"`([a-z.]+(?::[a-z.]+)?)`", row)]

    assert sorted(named) == sorted(json.loads(manifest_for(None))["oauth_config"]["scopes"]["bot"])


def test_the_changelog_starts_with_the_current_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    released = re.findall(r"^## (\d+\.\d+\.\d+) - \d{4}-\d\d-\d\d$", changelog, re.MULTILINE)

    assert released[0] == project["version"]
    assert released == sorted(
        released, key=lambda number: [*map(int, number.split("."))], reverse=True
    )
