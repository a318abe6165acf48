"""What a process counts and measures, by the API of OpenTelemetry, and where it goes.

Without an exporter every call here is one that does nothing. Names are the same whatever runs: a command, `news watch`,
a task of Airflow. Prometheus writes them ``news_polls_total``, ``news_delay_seconds_bucket`` … (docs/monitoring.md).
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import structlog
from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.runtime.extras import load_extra

log = structlog.get_logger("news")

_METER = metrics.get_meter("news")
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_DELAYS = (5, 10, 15, 20, 30, 45, 60, 90, 120, 300, 600, 1800, 3600, 7200, 21600, 86400)

POLLS = _METER.create_counter("news.polls", "1", "polls of feeds, by outcome")
PAGES = _METER.create_counter("news.pages", "1", "fetches of pages, by outcome")
BYTES = _METER.create_counter("news.received", "By", "bytes of feeds and pages after decompression, by kind")
DELAY = _METER.create_histogram(
    "news.delay", "s", "from publication, as the feed dates it, to the row of a new article; a day at most",
    explicit_bucket_boundaries_advisory=_DELAYS,
)  # fmt: skip
EXTRACTION = _METER.create_histogram(
    "news.extraction", "s", "reading of one feed or page, by kind", explicit_bucket_boundaries_advisory=_SECONDS
)
SQL = _METER.create_histogram(
    "news.sql", "s", "transactions, by kind", explicit_bucket_boundaries_advisory=_SECONDS
)  # fmt: skip

BELIEVED = 10.0
"""Seconds for which the numbers of a queue are shown again before SQL is asked anew."""

Queue = Mapping[str, float]


class _Export:
    """What this process exports through, and what is asked of SQL when somebody looks."""

    def __init__(self) -> None:
        self.provider: Any = None
        self.load: Callable[[], Queue] | None = None
        self._loaded_at = 0.0
        self._queue: Queue = {}

    def observe(self, name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def callback(_options: CallbackOptions) -> Iterable[Observation]:
            if self.load is not None and time.monotonic() - self._loaded_at > BELIEVED:
                self._queue, self._loaded_at = self.load(), time.monotonic()
            return [Observation(self._queue[name])] if name in self._queue else []

        return callback


_EXPORT = _Export()
for _name, _unit, _told in (
    ("due_feeds", "1", "feeds that are due and nobody polls"),
    ("due_pages", "1", "pages that are due and nobody fetches"),
    ("oldest_due", "s", "how long the feed or page that waits longest has been due"),
    ("failing_feeds", "1", "feeds that fail or are gone"),
):
    _METER.create_observable_gauge(f"news.{_name}", [_EXPORT.observe(_name)], _unit, _told)


def count_event(kind: str, outcome: str, facts: Mapping[str, Any]) -> None:
    """Count the outcome of a poll or a page, its bytes, and the delay of a new article."""
    counter = {"poll": POLLS, "page": PAGES}.get(kind)
    if counter is None:
        return
    counter.add(1, {"outcome": outcome})
    if size := facts.get("bytes"):
        BYTES.add(size, {"kind": kind})
    delay = facts.get("delay")
    if delay is not None and 0 <= delay <= _DELAYS[-1]:
        DELAY.record(delay)


@contextmanager
def timing(histogram: metrics.Histogram, kind: str) -> Iterator[None]:
    """Measure how long the block takes."""
    began = time.perf_counter()
    try:
        yield
    finally:
        histogram.record(time.perf_counter() - began, {"kind": kind})


@contextmanager
def exporting(settings: Settings, load: Callable[[], Queue], *, serve: bool = False) -> Iterator[None]:
    """Export what is measured within the block, as far as the settings say where to; what is left goes at its end.

    Args:
        settings: ``metrics_otlp`` and, if ``serve`` is true, ``metrics_address``.
        load: the numbers of the queue, called from another thread when somebody looks.
        serve: whether to serve Prometheus.

    Raises:
        ConfigError: an address is none, or the extra is not installed and a collector was asked for.
    """
    _EXPORT.load = load
    address = settings.metrics_address if serve and settings.metrics_address != "off" else ""
    if _EXPORT.provider is None and (address or settings.metrics_otlp):
        _EXPORT.provider = _make_provider(settings, address)
    server = _serve(address) if address and _EXPORT.provider is not None else None
    try:
        yield
    finally:
        _EXPORT.load = None
        if server is not None:
            server.shutdown()
            server.server_close()
        if _EXPORT.provider is not None and settings.metrics_otlp:
            _EXPORT.provider.force_flush()


def _make_provider(settings: Settings, address: str) -> Any:  # noqa: ANN401  # of the extra
    readers = []
    try:
        sdk = load_extra("opentelemetry.sdk.metrics", "metrics")
        if settings.metrics_otlp:
            exporter = load_extra("opentelemetry.exporter.otlp.proto.http.metric_exporter", "metrics")
            export = load_extra("opentelemetry.sdk.metrics.export", "metrics")
            endpoint = f"{settings.metrics_otlp.rstrip('/')}/v1/metrics"
            readers.append(export.PeriodicExportingMetricReader(exporter.OTLPMetricExporter(endpoint)))
        if address:
            readers.append(load_extra("opentelemetry.exporter.prometheus", "metrics").PrometheusMetricReader())
    except ConfigError as error:
        if settings.metrics_otlp:
            raise
        log.info("metrics", outcome="off", detail=str(error))
        return None
    resource = load_extra("opentelemetry.sdk.resources", "metrics").Resource.create({"service.name": "news"})
    provider = sdk.MeterProvider(readers, resource)
    metrics.set_meter_provider(provider)
    return provider


def _serve(address: str) -> Any:  # noqa: ANN401  # of the extra
    host, _, port = address.rpartition(":")
    try:
        server, _thread = load_extra("prometheus_client", "metrics").start_http_server(int(port), host)
    except (ValueError, OverflowError) as error:
        raise ConfigError(f"NEWS_METRICS_ADDRESS={address}: {error}") from error
    except OSError as error:  # another one of us has it
        log.warning("metrics", outcome="off", address=address, error=str(error))
        return None
    return server
