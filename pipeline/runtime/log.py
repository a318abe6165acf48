"""Logging: one structured event for each outcome, for people on the console or for machines as JSON lines.

Events name titles, addresses and messages of strangers: control characters in these are shown as escapes.
"""

import json
import logging
import sys
from typing import Any

import structlog

from pipeline.config import Settings
from pipeline.text.control_characters import escape_in_json, show_controls


def configure_logging(settings: Settings) -> None:
    """Send events to standard error in the form that the settings ask for.

    For our own processes only: inside Airflow its logging is in charge.
    """
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(_dump_json, ensure_ascii=False)
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            *([] if settings.log_format == "json" else [_show_controls]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # Libraries say on INFO what our events say better.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_VisibleFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING))


def _dump_json(event: object, **options: Any) -> str:  # noqa: ANN401  # of json.dumps
    return escape_in_json(json.dumps(event, **options))


def _show_controls(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Values of other types are printed by their ``repr``, which escapes what is not printable."""
    return {
        name: show_controls(value, multiline=name == "exception") if isinstance(value, str) else value
        for name, value in event.items()
    }


class _VisibleFormatter(logging.Formatter):
    """Messages of libraries, which may quote a page."""

    def format(self, record: logging.LogRecord) -> str:
        return show_controls(super().format(record), multiline=True)
