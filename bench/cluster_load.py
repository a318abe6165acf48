"""The load of `bench.cluster`: hosts of the replay server with a feed each, and pages that robots.txt forbids."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from bench.faulty_web import announcing, choose_pages, free_port
from bench.replay import Replay, Site
from examples.airflow.supervise import BIN, run
from examples.airflow.topology import Cluster

HOSTS = 100
MOST_PAGES = 400
"""Pages of the corpus that are served again and again, each time with a mark of its own in title and text."""

DAY = "2026-01-02T00:00:00+00:00"
"""The end of the day on which the replay server says that everything was published."""


class Load:
    """Serves so many articles; a context manager.

    Args:
        articles: spread over the hosts.
        pages: folder of pages, from `chosen`.
    """

    def __init__(self, articles: int, pages: Path) -> None:
        self.articles = articles
        self._port = free_port()
        self._site = Site("load", "127.91.1.1", HOSTS, items=articles // HOSTS)
        self._server = Replay(self._site, self._port, pages, options=["--latency=50"])
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(self._server)
        self._server.await_ready()
        forbidden = [f"http://{address}:{self._port}/private/1" for address in self._site.addresses]
        self._forbidding = self._stack.enter_context(announcing(forbidden, self._port))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def subscribe(self, cluster: Cluster) -> None:
        """Have the cluster follow all feeds, and one that announces what robots.txt forbids."""
        listed = cluster.folder / "feeds.txt"
        listed.write_text("\n".join([*self._server.feeds(), self._forbidding]), "utf-8")
        run([BIN / "news", "feeds", "import", listed], cluster.environment("news"))

    @property
    def sites(self) -> str:
        """The hosts, as the DAG `backfill_archive` wants them."""
        return " ".join(f"http://{address}:{self._port}/" for address in self._site.addresses)

    @property
    def urls(self) -> set[str]:
        """The addresses of the articles."""
        return {str(row["url"]) for row in self._server.articles()}

    def stats(self) -> dict[str, Any]:
        """What the server has counted."""
        return self._server.stats()


def chosen(folder: Path, articles: int) -> Path:
    """The folder with pages to serve put into it."""
    folder.mkdir()
    choose_pages(folder, min(articles, MOST_PAGES))
    return folder
