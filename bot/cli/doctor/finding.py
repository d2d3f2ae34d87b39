"""What `doctor` says of one part."""

from dataclasses import dataclass

TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, and how it is; `mend` says how to fix what is broken.

    What couldn't be tested is not `tested`: neither well nor broken.
    """

    title: str
    text: str
    mend: str = ""
    tested: bool = True

    @property
    def well(self) -> bool:
        """Whether nothing has to be fixed."""
        return not self.mend

    @property
    def line(self) -> str:
        """Return it as one line for people."""
        if self.mend:
            return f"✗ {self.title}: {self.text}. Fix: {self.mend}"
        return f"{'✓' if self.tested else '–'} {self.title}: {self.text}"
