"""What a soak must not leave behind, judged by samples of the process."""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import NamedTuple

from tests.bench.figures import percentile
from tests.bench.soak.samples import Sample

# Between the first and the last third of the work; later, only what leaks still grows.
MAX_MEMORY_GROWTH = 1.08
# A database connection or two that were opened under load, with the files of SQLite.
SPARE_FILES = 12
HEADER = (
    "  time  phase     memory  files  tasks  behind  lag p99  ack p50    p99  requests  missed"
    "  calls  refused"
)


class Check(NamedTuple):
    """Something that must be true, and what was found."""

    title: str
    passed: bool
    found: str


def row(sample: Sample) -> str:
    """Return a sample as a line under HEADER; milliseconds, MB."""
    p50, p99 = (
        percentile(sample.acks, percent) * 1000 if sample.acks else 0 for percent in (50, 99)
    )
    return (
        f"{sample.at:5.0f}s  {sample.phase:8} {sample.memory:7.1f} {sample.files:6} "
        f"{sample.tasks:6} {sample.behind:7} {sample.lag_p99 * 1000:8.0f} {p50:8.1f} {p99:6.1f} "
        f"{len(sample.acks):9} {sample.missed:7} {sample.calls:6} {sample.refused:8}"
    )


def checks(samples: Sequence[Sample]) -> Iterator[Check]:
    """Yield the checks of the samples; the first and the last are from idle times."""
    first, last = samples[0], samples[-1]
    work = [sample for sample in samples if sample.phase == "work"]
    third = max(len(work) // 3, 1)
    early, late = (
        median(sample.memory for sample in part) for part in (work[:third], work[-third:])
    )
    yield Check(
        "memory is flat while people work",
        late <= early * MAX_MEMORY_GROWTH,
        f"{early:.1f} MB, then {late:.1f} MB",
    )
    files = first.files + SPARE_FILES
    yield Check(
        "files are closed again", last.files <= files, f"{last.files} open, {first.files} at first"
    )
    yield Check(
        "no task is left behind", last.tasks <= first.tasks, f"{last.tasks}, {first.tasks} at first"
    )
    yield Check("Slack shows everything", last.behind == 0, f"{last.behind} threads behind")
    requests, missed = (
        sum(len(sample.acks) for sample in samples),
        sum(sample.missed for sample in samples),
    )
    yield Check("every request was acknowledged", missed == 0, f"{missed} of {requests} missed")
