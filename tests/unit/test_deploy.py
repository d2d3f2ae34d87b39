"""Deployment files use only commands that exist and settings that the bot knows."""

import json
import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from bot.app.settings import Settings
from bot.cli.main import main

ROOT = Path(__file__).parents[2]
# Settings of the Postgres image, not of the bot.
POSTGRES_SETTINGS = {"POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB"}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(read("compose.yaml"))
    return loaded


def is_command(words: list[str]) -> bool:
    command: click.Command = main
    for word in words:
        if not isinstance(command, click.Group) or word not in command.commands:
            return False
        command = command.commands[word]
    return not isinstance(command, click.Group)


def commands() -> list[list[str]]:
    """The arguments after `onboarding` in every file that starts the bot."""
    services = compose()["services"].values()
    entry = re.findall(r"(?m)^CMD (\[\"run.*\])", read("Dockerfile"))
    return [
        *(line.split() for line in re.findall(r"python -m bot (.+)", read("Procfile"))),
        *(
            line.split()
            for line in re.findall(r"bin/onboarding (.+)", read("deploy/onboarding.service"))
        ),
        *(service["command"] for service in services if "command" in service),
        *(json.loads(command) for command in entry),
    ]


def test_every_command_in_deployment_files_exists() -> None:
    assert ["run"] in commands()
    assert ["db", "upgrade"] in commands()
    assert [command for command in commands() if not is_command(command)] == []


@pytest.mark.parametrize("words", [["runn"], ["db"], ["db", "upgrad"]])
def test_unknown_or_incomplete_commands_are_detected(words: list[str]) -> None:
    assert not is_command(words)


def test_every_setting_in_deployment_files_is_known() -> None:
    ours = {name.upper() for name in Settings.model_fields}
    services = compose()["services"].values()
    named = {name for service in services for name in service.get("environment", {})}
    named |= set(json.loads(read("app.json"))["env"])

    assert named - POSTGRES_SETTINGS <= ours


def test_platforms_install_from_the_lock_file() -> None:
    lines = [line for line in read("requirements.txt").splitlines() if not line.startswith("#")]

    assert lines == ["-r requirements.lock"]


def test_the_docker_image_excludes_env_files_and_git_history() -> None:
    first, *kept = [
        line for line in read(".dockerignore").splitlines() if line[:1] not in ("", "#")
    ]

    assert first == "*"
    assert not {"!.env", "!.git", "!.venv", "!*"} & set(kept)
