"""Fixtures for several test files."""

from pathlib import Path

import pytest

from tests.unit.environment import Environment


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Environment:
    return Environment(monkeypatch, tmp_path)
