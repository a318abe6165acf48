"""Templates: everything escaped, control characters shown, times as elements, links to http(s) alone."""

import re
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote, urlencode, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from pipeline import __version__
from pipeline.text.control_characters import show_controls
from pipeline.web.web_context import CSRF_COOKIE, CSRF_FIELD, csrf_token, get_context, put_cookie, root_of

SAID_COOKIE: Final = "news_said"
"""What an action came to, for the page that is shown next. No address has it: anybody could put words there."""

_UNPRINTED: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")

NAVIGATION: Final = (
    ("/", "Overview"),
    ("/articles", "Articles"),
    ("/feeds", "Feeds"),
    ("/sources", "Sources"),
    ("/ledger", "Ledger"),
    ("/boilerplate", "Boilerplate"),
    ("/backfills", "Backfills"),
)


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401
    """The answer of a template."""
    root = root_of(request)

    def link(path: str, **query: Any) -> str:  # noqa: ANN401  # of any kind
        if not query:
            return f"{root}{path}"
        given = {name: value for name, value in query.items() if value not in (None, "")}
        return f"{root}{path}" + (f"?{urlencode(given)}" if given else "")

    said = request.cookies.get(SAID_COOKIE, "")
    page = _TEMPLATES.get_template(template).render(
        link=link,
        path=request.scope["path"].removeprefix(root) or "/",
        said=unquote(said),
        csrf_field=CSRF_FIELD,
        csrf=csrf_token(request),
        can_act=get_context(request).can_act(request),
        has_login=get_context(request).login.is_needed,
        **values,
    )
    response = HTMLResponse(page, status)
    if said:
        response.delete_cookie(SAID_COOKIE, path=root or "/")
    if CSRF_COOKIE not in request.cookies:
        put_cookie(request, response, CSRF_COOKIE, csrf_token(request))
    return response


def show_time(at: object) -> Markup:
    """A time as an element: in UTC, which our script puts into the reader's zone; nothing for None."""
    if not isinstance(at, datetime):
        return Markup("") if at is None else escape(str(at))
    stamp = at.astimezone(UTC).isoformat(timespec="seconds")
    shown = f"{stamp[:10]} {stamp[11:16]}"
    return Markup(f'<time datetime="{stamp}" title="{shown} UTC">{shown}</time>')  # noqa: S704  # digits alone


def show_link(url: object, text: object = None) -> Markup:
    """A link to a page elsewhere, which is not told where its reader comes from; text alone where it is no http(s)."""
    shown = show_text(url if text is None else text)
    if not is_web_address(url):
        return shown
    return Markup('<a href="{}" rel="noopener noreferrer" referrerpolicy="no-referrer">{}</a>').format(str(url), shown)


def is_web_address(url: object) -> bool:
    """Whether a link may lead there: http or https with a host, and nothing that would run."""
    try:
        parts = urlsplit(str(url))
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and show_controls(str(url)) == str(url)


def show_text(text: object) -> Markup:
    """A short text of a stranger, by itself in whatever direction it is written."""
    # Not by format(), which takes five times as long: a list has hundreds of texts.
    return _BEGIN + show_controls("" if text is None else str(text), multiline=True) + _END


_BEGIN: Final = Markup('<bdi dir="auto">')
_END: Final = Markup("</bdi>")


def show_prose(text: object) -> Markup:
    """A paragraph of an article, with its marks of direction: Arabic and Hebrew have them for a reason.

    It has to stand in a block with a direction of its own, beyond which none of them reaches.
    """
    return escape(_UNPRINTED.sub(lambda match: show_controls(match[0]), str(text)))


def show_duration(seconds: object) -> str:
    """Seconds in words.

    >>> show_duration(42), show_duration(5400), show_duration(200000), show_duration(None)
    ('42 s', '1.5 h', '2.31 days', '')
    """
    if not isinstance(seconds, int | float):
        return ""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= size * (2 if unit == "days" else 1):
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def show_number(number: object) -> str:
    """A whole number with its thousands apart; nothing for None."""
    return "" if number is None else f"{number:,}"


def _show(value: object) -> object:
    """What any expression of a template comes to: control characters shown, wherever it stands, and None as nothing.

    The text of articles is spared by the filter ``prose``.
    """
    if value is None:
        return ""
    return show_controls(value, multiline=True) if type(value) is str else value


def _make_environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pipeline.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_show,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        when=show_time, outward=show_link, plain=show_text, lasting=show_duration, prose=show_prose
    )
    environment.globals.update(navigation=NAVIGATION, version=__version__, number=show_number)
    return environment


_TEMPLATES: Final = _make_environment()
