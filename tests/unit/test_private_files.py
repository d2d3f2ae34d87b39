"""Files that other users of the machine can read or change cause a warning with their mode."""

from pathlib import Path

import pytest

from bot.cli.private_files import warnings


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o666, 0o660, 0o606])
def test_files_others_can_read_or_change_cause_a_warning(tmp_path: Path, mode: int) -> None:
    token, database = tmp_path / "token", tmp_path / "bot.db"
    for file in (token, database):
        file.touch()
        file.chmod(mode)

    lines = list(warnings({"TOKEN_FILE": token}, f"sqlite:///{database}"))

    may = "change" if mode & 0o022 else "read"
    assert [line.split(":")[0] for line in lines] == ["TOKEN_FILE", "the database"]
    assert all(f"may {may} this file (mode {mode:04o})" in line for line in lines)


def test_private_or_missing_files_cause_no_warning(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.touch(mode=0o600)

    assert list(warnings({"TOKEN_FILE": token, "OTHER": tmp_path / "none"}, "sqlite://")) == []
