"""How a setting is declared: its default, its reader and its explanation, kept with the field."""

from collections.abc import Callable
from dataclasses import field
from datetime import timedelta
from functools import partial
from typing import Any

from pipeline.config.setting_readers import read_limits, read_seconds


def plain_setting(default: Any, read: Callable[[str], Any], doc: str, *, secret: bool = False) -> Any:  # noqa: ANN401
    """A field of `pipeline.config.Settings`; a secret one is shown nowhere."""
    return field(default=default, metadata={"read": read, "doc": doc, "secret": secret}, repr=not secret)


def duration_setting(seconds: float, doc: str, *, least: float = 0) -> Any:  # noqa: ANN401  # a field's default
    """A length of time, given in seconds, ``least`` or more."""
    return plain_setting(timedelta(seconds=seconds), partial(read_seconds, least=least), doc)


def limits_setting(warning: float, critical: float, doc: str) -> Any:  # noqa: ANN401  # a field's default
    """From where on a check warns, and from where on it is critical."""
    return plain_setting((warning, critical), read_limits, doc)
