"""Libraries that only some commands need: they come with an extra of the package, and are imported when called for."""

from importlib import import_module
from typing import Any

from pipeline.errors import ConfigError


def load_extra(module: str, extra: str) -> Any:  # noqa: ANN401  # a module
    """The module of this dotted name.

    Raises ConfigError: it is not installed; the message names the library, and the extra that brings it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        top = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != top:
            raise  # the library is there, and something that it needs is not
        raise ConfigError(f"this needs {top}: pip install {top} (or this project with its extra {extra})") from error
