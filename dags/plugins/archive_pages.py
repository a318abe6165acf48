"""The pages of `news serve` in Airflow: *News archive* in the navigation, behind Airflow's login and roles.

Airflow's API server loads this file from its folder of plugins (``AIRFLOW__CORE__PLUGINS_FOLDER``; docs/web.md). What a
plugin serves is open to everybody unless it asks for a login itself: `AirflowLogin` stands before every path. Who may
see the DAG `ingest_hourly` may read; who may start it may act. `NEWS_*` settings are those of Airflow's own services.
"""

import os
import threading
from contextlib import ExitStack
from typing import Any, Final
from urllib.parse import quote, urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

PREFIX: Final = "/news"
DAG: Final = "ingest_hourly"


def may_act(request: Request) -> bool:
    """Whether who sent the request may change something; `AirflowLogin` has asked."""
    return bool(getattr(request.state, "may_act", False))


class ArchivePages:
    """The application, made with the first request: plugins are loaded by processes, too, that serve nobody."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = ExitStack()
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; 503 while the archive cannot be opened."""
        from sqlalchemy.exc import SQLAlchemyError

        from pipeline.errors import ConfigError

        try:
            app = self._app or await run_in_threadpool(self._load)
        except (ConfigError, SQLAlchemyError) as error:
            app = PlainTextResponse(f"The archive cannot be opened: {error}", 503)
        await app(scope, receive, send)

    def _load(self) -> ASGIApp:
        from pipeline.config import Settings
        from pipeline.errors import ConfigError
        from pipeline.store.connection.engine import open_archive, open_engine
        from pipeline.web.application import create_app

        # A server that answers nothing must not hold all of the API server's threads.
        if not self._lock.acquire(timeout=1):
            raise ConfigError("it is just being opened, try again")
        try:
            if self._app is None:
                settings = Settings.from_env(os.environ)
                engine = self._open.enter_context(open_archive(settings))
                reader = open_engine(settings.read_database_url) if settings.read_database_url else None
                self._app = create_app(engine, settings, reader=reader, can_act=may_act)
            return self._app
        finally:
            self._lock.release()


class AirflowLogin:
    """Lets through who is logged in to Airflow and may see the DAG; notes whether they may act.

    Args:
        app: what is guarded.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope)
        answer: ASGIApp = await self._refusal(request) or self._app
        await answer(scope, receive, send)

    async def _refusal(self, request: Request) -> Response | None:
        # Imported here: schedulers and workers load this file, too, and have no use for the API server's modules.
        from airflow.api_fastapi.app import get_auth_manager
        from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
        from airflow.api_fastapi.core_api.security import get_user
        from fastapi import HTTPException
        from fastapi.security import HTTPAuthorizationCredentials
        from fastapi.security.utils import get_authorization_scheme_param

        scheme, credentials = get_authorization_scheme_param(request.headers.get("authorization"))
        bearer = HTTPAuthorizationCredentials(scheme=scheme, credentials=credentials) if credentials else None
        try:
            user = await get_user(request, None, bearer)
        except HTTPException as error:
            if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
                return RedirectResponse(f"{get_auth_manager().get_url_login()}?next={quote(str(request.url))}", 303)
            return PlainTextResponse(str(error.detail), error.status_code)
        allows, dag = get_auth_manager().is_authorized_dag, DagDetails(id=DAG)
        if not await run_in_threadpool(allows, method="GET", user=user, details=dag):
            return PlainTextResponse(f"You may not see {DAG}, and so not what it stores.", 403)
        request.state.may_act = await run_in_threadpool(
            allows, method="POST", access_entity=DagAccessEntity.RUN, user=user, details=dag
        )
        return None


def _path(prefix: str) -> str:
    """Where Airflow's own pages begin, and ours among them."""
    return urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/") + prefix


class ArchivePagesPlugin(AirflowPlugin):
    """What Airflow takes over: the application and its place in the navigation."""

    name = "news_archive"
    fastapi_apps: Any = [{"app": AirflowLogin(ArchivePages()), "url_prefix": PREFIX, "name": "News archive"}]  # noqa: RUF012
    external_views: Any = [  # noqa: RUF012
        {"name": "News archive", "href": f"{_path(PREFIX)}/", "url_route": "news-archive", "destination": "nav"}
    ]
