"""One run of the pipeline in a process of its own, for tests that kill it."""

import contextlib
import os

from pipeline.config import Settings
from pipeline.ingest import run


def main() -> None:
    """Run once with the settings of the environment."""
    with contextlib.suppress(BaseException):  # how it ends is for the test to see in the database
        run(Settings.from_env(os.environ))
