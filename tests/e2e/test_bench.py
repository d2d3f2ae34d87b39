"""Every part of the benchmark, and the soak test, runs to completion."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.parts import PARTS
from tests.bench.report import Report

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.long


def test_every_part_of_the_bench_runs_to_completion(tmp_path: Path) -> None:
    output = tmp_path / "bench.json"

    run("tests.bench", "--quick", "--sqlite-only", "--output", str(output))

    report = Report.model_validate_json(output.read_text(encoding="utf-8"))
    assert [part.name for part in report.parts] == list(PARTS)
    assert [part.name for part in report.parts if part.problem] == []
    assert all(part.figures or part.text for part in report.parts)


def test_a_short_soak_leaves_nothing_behind() -> None:
    run("tests.bench.soak", "--clients", "20", "--seconds", "60")


def run(*words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
