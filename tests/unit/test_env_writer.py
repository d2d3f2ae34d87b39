"""Writing settings into `.env`: other lines are kept, and no setting ends up there twice."""

import os
from pathlib import Path

import pytest

from bot.cli import env_writer
from bot.cli.env_writer import with_values


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "PORT=1\n"),
        ("PORT=3000\n", "PORT=1\n"),
        ("PORT=3000", "PORT=1\n"),
        ("#PORT=3000\n", "PORT=1\n"),
        ("# PORT=3000\n", "PORT=1\n"),
        ("# HOST and PORT\nHOST=a\n\nPORT='2'\n", "# HOST and PORT\nHOST=a\n\nPORT=1\n"),
        ("export port=2 # theirs\nHOST=a\n", "PORT=1\nHOST=a\n"),
        ("#PORT=2\nPORT=3\n", "#PORT=2\nPORT=1\n"),
        ("HOST=a", "HOST=a\nPORT=1\n"),
    ],
)
def test_a_setting_replaces_its_existing_line_or_is_appended(before: str, after: str) -> None:
    assert with_values(before, {"PORT": "1"}) == after


def test_a_failed_write_leaves_the_old_file_intact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("PORT=1\n")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("full")))

    with pytest.raises(OSError, match="full"):
        env_writer.replace(tmp_path / ".env", "PORT=2\n")

    assert [path.read_text() for path in tmp_path.iterdir()] == ["PORT=1\n"]
