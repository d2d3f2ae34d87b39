"""Files that other users of the machine may read or change are warned of by their mode."""

from pathlib import Path

import pytest

from bot.cli.private_files import warnings


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o666, 0o660, 0o606])
def test_what_others_may_do_is_said(tmp_path: Path, mode: int) -> None:
    token, database = tmp_path / "token", tmp_path / "bot.db"
    for file in (token, database):
        file.touch()
        file.chmod(mode)

    lines = list(warnings({"TOKEN_FILE": token}, f"sqlite:///{database}"))

    may = "change" if mode & 0o022 else "read"
    assert [line.split(":")[0] for line in lines] == ["TOKEN_FILE", "the database"]
    assert all(f"may {may} this file (mode {mode:04o})" in line for line in lines)


def test_what_is_private_or_not_there_is_not_warned_of(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.touch(mode=0o600)

    assert list(warnings({"TOKEN_FILE": token, "OTHER": tmp_path / "none"}, "sqlite://")) == []
