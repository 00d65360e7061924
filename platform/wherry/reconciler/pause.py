"""How long an app was away in the middle of a change, because its instances may not run beside each other."""

from __future__ import annotations

from dataclasses import dataclass

from wherry import clock


@dataclass
class Pause:
    """Monotonic times. `held` says that visitors' requests waited; `back`, after a change that failed, that what ran before
    runs again."""

    began: float | None = None
    ended: float | None = None
    held: bool = False
    back: bool = False

    def begin(self) -> None:
        """The first instance is asked to go; later ones change nothing."""
        if self.began is None:
            self.began = clock.monotonic()

    def end(self, back: bool) -> None:
        self.ended, self.back = clock.monotonic(), back

    @property
    def seconds(self) -> float:
        if self.began is None:
            return 0.0
        return (self.ended or clock.monotonic()) - self.began

    def words(self, release: int) -> str:
        """The state of the world after a change that failed."""
        if self.began is None:
            return f"v{release} keeps serving."
        if self.back:
            return f"v{release} was stopped for {self.seconds:.1f} s and runs again."
        return f"v{release} was stopped and is not back yet; it is tried again."
