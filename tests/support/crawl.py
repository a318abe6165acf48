"""One run of the pipeline in a process of its own, for tests that kill it."""

import os

from pipeline.config import Settings
from pipeline.ingest import run_ingest


def main() -> None:
    """Run once with the settings of the environment."""
    run_ingest(Settings.from_env(os.environ))
