"""How much a run may take on, where it may not go on without end."""

import sys
from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class Budget:
    """How many pages this run may still fetch, and until when.

    Attributes:
        pages: how many are left; None for any number.
        ends_at: when the run's time is up: what is under way then is finished, and no more is begun.
    """

    pages: int | None
    ends_at: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        """Whether the run's time is up."""
        return self.ends_at is not None and now >= self.ends_at

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left."""
        return self.left <= 0

    @property
    def left(self) -> int:
        """How many are left; as many as one may want where there is no limit."""
        return sys.maxsize if self.pages is None else self.pages

    def spend(self, pages: int = 1) -> None:
        """Take pages off."""
        if self.pages is not None:
            self.pages -= pages

    def give_back(self, pages: int = 1) -> None:
        """Add pages again that were not fetched after all."""
        if self.pages is not None:
            self.pages += pages
