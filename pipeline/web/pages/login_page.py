"""The login with a token, for a server that others reach."""

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pipeline.web.actions import Done, act
from pipeline.web.guard import LOGIN_COOKIE, LOGIN_SECONDS
from pipeline.web.rendering import render
from pipeline.web.web_context import get_context, put_cookie, root_of


def show_login(request: Request) -> Response:
    """The form."""
    return render(request, "login.html", next=request.query_params.get("next", ""), is_wrong=False)


def log_in(request: Request, form: FormData) -> Response:
    """Let in who knows the token."""
    login, asked = get_context(request).login, str(form.get("next", ""))
    if not login.accepts(str(form.get("token", ""))):
        return render(request, "login.html", status=403, next=asked, is_wrong=True)
    # A path of our own alone: "//elsewhere" and "/\elsewhere" would lead to another server.
    path = asked if asked.startswith("/") and not asked.startswith(("//", "/\\")) else "/"
    response = RedirectResponse(root_of(request) + path, 303)
    put_cookie(request, response, LOGIN_COOKIE, login.issue(), LOGIN_SECONDS)
    return response


def log_out(request: Request, _form: FormData) -> Done | Response:
    """Forget the login."""
    response = RedirectResponse(f"{root_of(request)}/login", 303)
    response.delete_cookie(LOGIN_COOKIE, path=root_of(request) or "/")
    return response


ROUTES = (
    Route("/login", show_login),
    Route("/login", act(log_in, needs_right=False), methods=["POST"]),
    Route("/logout", act(log_out, needs_right=False), methods=["POST"]),
)
