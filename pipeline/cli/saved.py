"""Pages saved in files, as several commands take them."""

import gzip
from pathlib import Path

from pipeline.errors import ConfigError


def read_saved(path: Path) -> bytes:
    """The page in a file, .html or .html.gz.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
