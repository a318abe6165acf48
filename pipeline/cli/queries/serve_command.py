"""``news serve``: pages to look at the archive with."""

from contextlib import ExitStack

import click

from pipeline.cli.output import print_line
from pipeline.config import Settings
from pipeline.runtime.extras import load_extra
from pipeline.store.connection.engine import open_archive, open_engine


@click.command()
@click.option("--bind", default="127.0.0.1", show_default=True, help="Local address to listen on.")
@click.option("--port", default=8766, show_default=True, type=click.IntRange(0, 65535), help="Local port; 0 for any.")
@click.option("--root-path", default="", help="Path that a proxy in front has the pages at, such as /news.")
@click.option("--read-only", is_flag=True, help="Change nothing, whoever asks.")
@click.pass_obj
def serve_command(settings: Settings, bind: str, port: int, root_path: str, read_only: bool) -> None:
    """Serve pages that show the archive and steer it, until stopped. Needs the extra web.

    Articles with what was removed from them, search, feeds and their health, sources, the ledger, learned boilerplate,
    backfills. On this machine's loopback address by default; on any other one readers must know NEWS_WEB_TOKEN, and
    a proxy with TLS belongs in front.

    \b
    Examples:
      news serve
      NEWS_WEB_TOKEN=$(cat token) NEWS_WEB_HOSTS=news.example.org news serve --bind 0.0.0.0 --root-path /news
    """
    for module in ("starlette", "jinja2", "itsdangerous", "python_multipart", "uvicorn"):
        load_extra(module, "web")
    from pipeline.web.application import create_app
    from pipeline.web.serving import allowed_hosts, require_token, run_server

    require_token(settings, bind)
    root_path = f"/{root_path.strip('/')}".rstrip("/")
    with ExitStack() as opened:
        engine = opened.enter_context(open_archive(settings))
        reader = None
        if settings.read_database_url:
            reader = open_engine(settings.read_database_url)
            opened.callback(reader.dispose)
        app = create_app(
            engine,
            settings,
            reader=reader,
            hosts=allowed_hosts(settings, bind),
            token=settings.web_token,
            can_act=lambda _: not read_only,
        )
        run_server(app, bind, port, root_path, lambda address: print_line(f"the page is at {address}"))
