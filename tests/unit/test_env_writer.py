"""Settings written into the text of `.env`: what is there stays, and nothing is there twice."""

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
def test_a_value_takes_the_place_of_the_one_there(before: str, after: str) -> None:
    assert with_values(before, {"PORT": "1"}) == after


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("PORT=1\n")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("full")))

    with pytest.raises(OSError, match="full"):
        env_writer.replace(tmp_path / ".env", "PORT=2\n")

    assert [path.read_text() for path in tmp_path.iterdir()] == ["PORT=1\n"]
