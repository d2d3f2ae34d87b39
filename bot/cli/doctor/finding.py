"""One finding of `doctor`."""

from dataclasses import dataclass

TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """What was checked and the result; `fix` says how to repair what is broken.

    If not `tested`, it is neither well nor broken.
    """

    title: str
    text: str
    fix: str = ""
    tested: bool = True

    @property
    def well(self) -> bool:
        return not self.fix

    @property
    def line(self) -> str:
        if self.fix:
            return f"✗ {self.title}: {self.text}. Fix: {self.fix}"
        return f"{'✓' if self.tested else '–'} {self.title}: {self.text}"
