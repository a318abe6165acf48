"""One rule for each class of page: why the page is of it, in words, or None where it is not."""

import re
from urllib.parse import urlsplit

from pipeline.classify.bot_walls import wall_of_source
from pipeline.classify.class_phrases import class_phrases, find_line, find_title
from pipeline.classify.page_facts import PageFacts
from pipeline.html.structured_data import types_of
from pipeline.text.words import count_words, fold_words

# Words, of the extracted text or of the whole page; each rule says which.
WALL_WORDS = 300
CONSENT_WORDS = 900
LONG_TEXT = 250
SHELL_WORDS = 40
STUB_WORDS = 220
TEASER_WORDS = 50

_CONSENT_HOST = re.compile(r"^(?:consent|cmp|privacy-?gate|myprivacy|cookie-?wall|zustimmung)[.-]|^guce\.")
_CONSENT_PATH = re.compile(
    r"/(?:collectconsent|cookie-?(?:wall|consent)|consent(?:-?wall)?|privacy-?(?:gate|wall)|zustimmung)(?:/|\.\w+$|$)"
)
_LOGIN_PATH = re.compile(r"/(?:log-?in|sign-?in|signon|sso|anmelden|connexion|auth(?:enticate|orize)?)(?:/|\.\w+$|$)")
_LIST_PATH = re.compile(
    r"/(?:index\.\w+|home(?:\.\w+)?|(?:category|tag|author|section|topics?|archives?|page)/[^/]+(?:/page/\d+)?)?/?$"
)
_LIVE_PATH = re.compile(
    r"(?:^|[/_-])(?:live-?blog|live-?ticker|live-updates|minute-by-minute|en-vivo|live)(?:[/_.-]|$)"
)
_GALLERY_PATH = re.compile(
    r"(?:^|[/_-])(?:photo-?)?(?:galler(?:y|ies)|galerie|galeria|fotostrecke|bilderstrecke|diaporama)(?:[/_.-]|$)"
)
_LISTS = frozenset({"archive", "category", "tag", "home", "blog", "search-results", "author"})
_SINGLES = frozenset({"single", "single-post", "page", "postid", "article"})
_ROOTS = frozenset({"root", "app", "__next", "__nuxt", "react-root", "app-root", "main-app", "gatsby", "___gatsby"})
_HIDDEN_END = re.compile(r"<(script|style|!--)(?![^<]*?(?:</\1|-->))[^<]*\Z", re.IGNORECASE)


def bot_wall(page: PageFacts) -> str | None:
    """A challenge: little to read, and a mark or the words of one."""
    if (page.is_declared and page.words > SHELL_WORDS) or page.shows_more_than(WALL_WORDS):
        return None
    vendor = wall_of_source(page.source)
    if vendor:
        return f"a challenge of {vendor}"
    title = find_title("bot_wall", page.titles)
    if title and not page.is_declared and (line := find_line("bot_wall", "lines", page.lines())):
        return f"{title!r}, and {line[:80]!r}"
    return None


def consent(page: PageFacts) -> str | None:
    """Asks for consent: its address or its title says so, and what it says is about little else."""
    if page.is_declared or page.shows_more_than(CONSENT_WORDS):
        return None
    parts = urlsplit(page.url)
    at = _CONSENT_HOST.search(parts.hostname or "") or _CONSENT_PATH.search(parts.path.lower())
    title = find_title("consent", page.titles)
    folded = [fold_words(block.text) for block in page.shown]
    words = " ".join(folded).split()
    about = sum(word in class_phrases("consent", "vocabulary") for word in words)
    button = next((line for line in folded if line in class_phrases("consent", "buttons")), None)
    signs = [
        at and f"the address {page.url}",
        title and f"the title {title!r}",
        button and f"the button {button!r}",
        about >= 4 and about > 0.04 * len(words) and f"{about} of {len(words)} words",
    ]
    present = [sign for sign in signs if sign]
    # A button for cookies stands on every page, and an article may be about cookies.
    return ", ".join(present) if ((at or title) and len(present) > 1) or len(present) > 2 else None


def soft_404(page: PageFacts) -> str | None:
    """Says that there is no such page, in its title or heading."""
    if page.words > LONG_TEXT or (page.is_declared and page.words > SHELL_WORDS):
        return None
    title = find_title("soft_404", page.titles)
    if title:
        return f"the title {title!r}"
    return "its markup says error404" if "error404" in page.body_names() else None


def login(page: PageFacts) -> str | None:
    """Asks for a password, and has nothing else to say."""
    if page.is_declared or page.words > LONG_TEXT or not page.has_password():
        return None
    title = find_title("login", page.titles)
    if title:
        return f"the title {title!r}, and a field for a password"
    at = _LOGIN_PATH.search(page.path.lower())
    return f"the path {page.path}, and a field for a password" if at and page.words < STUB_WORDS else None


def truncated(page: PageFacts) -> str | None:
    """Ends in the middle: within a tag, a script or a sentence, without an end of the document."""
    source = page.source.rstrip()
    end = source[-3_000:].lower()
    if "</html" in end or "</body" in end or "<body" not in source.lower():
        return None
    if source.rfind("<") > source.rfind(">"):
        return "ends within a tag"
    if _HIDDEN_END.search(source[-3_000:]):
        return "ends within a script or comment"
    last = source.rpartition(">")[2].strip()
    return f"ends with {last[-40:]!r}" if count_words(last) > 1 and last[-1] not in ".!?…\"'”’»。" else None


def script_shell(page: PageFacts) -> str | None:
    """Nothing to read, and scripts that would bring it."""
    if (
        page.words >= SHELL_WORDS
        or page.shows_more_than(3 * SHELL_WORDS)
        or next(page.tree.iter("script"), None) is None
    ):
        return None
    hidden = [" ".join(map(str, element.itertext())) for element in page.tree.iter("noscript")]
    asks = find_line("script_shell", "lines", [*page.lines(), *map(fold_words, hidden)])
    if asks:
        return f"asks for scripts: {asks[:80]!r}"
    empty = (element for element in page.tree.iter("div", "main", "app-root", "body") if _is_empty_root(element))
    root = next(empty, None)
    return (
        f"the element {root.get('id') or root.tag!r} is empty"
        if root is not None and not page.shows_more_than(SHELL_WORDS - 1)
        else None
    )


def _is_empty_root(element: object) -> bool:
    get, tag = element.get, element.tag  # type: ignore[attr-defined]
    named_root = tag == "app-root" or (get("id") or "").lower() in _ROOTS
    return named_root and not "".join(map(str, element.itertext())).strip()  # type: ignore[attr-defined]


def teaser_list(page: PageFacts) -> str | None:
    """A list, such as a front page: headings that lead elsewhere, and no text but theirs."""
    if page.is_declared:
        return None
    teasers = page.teasers()
    if teasers < 6:
        return None
    longest = max((count_words(part) for part in page.text.split("\n\n")), default=0)
    if longest >= 60:
        return None
    names = page.body_names()
    listed = _LIST_PATH.search(page.path.lower()) or (names & _LISTS and not names & _SINGLES) or _is_collection(page)
    # Teasers are told with a sentence or two each; where nothing says that it is a list, the text must be links itself.
    if page.words < (TEASER_WORDS * teasers if listed else SHELL_WORDS) or page.linked_share() > 0.3:
        return f"{teasers} headings that lead elsewhere, no paragraph longer than {longest} words"
    return None


def _is_collection(page: PageFacts) -> bool:
    return any(
        kind in {"collectionpage", "searchresultspage"} for node in page.structured.pages for kind in types_of(node)
    )


def recipe(page: PageFacts) -> str | None:
    """Declared as a recipe, which the page is about."""
    return "declared as Recipe" if page.structured.article_type == "recipe" else None


def video(page: PageFacts) -> str | None:
    """Declared as a video and as no article, with no more than a summary."""
    og = (page.structured.first_meta("og:type") or "").lower()
    is_video = og.startswith("video") or page.structured.article_type == "videoobject"
    return "declared as a video" if is_video and not page.is_declared and page.words < STUB_WORDS else None


def gallery(page: PageFacts) -> str | None:
    """Declared as a gallery, or at an address of galleries, with more pictures than paragraphs."""
    declared = any(
        kind in ("imagegallery", "mediagallery") for node in page.structured.nodes for kind in types_of(node)
    )
    if page.words > STUB_WORDS or not (declared or _GALLERY_PATH.search(page.path.lower())):
        return None
    pictures = len(page.elements["img"])
    return f"{pictures} pictures, {page.words} words" if pictures > 2 * page.text.count("\n\n") + 4 else None


def live_blog(page: PageFacts) -> str | None:
    """Declared as one; or its address or title says so, and it has many times."""
    kinds = (kind for node in page.structured.articles for kind in types_of(node))
    if "liveblogposting" in kinds:
        return "declared as LiveBlogPosting"
    says = _LIVE_PATH.search(page.path.lower()) or find_title("live_blog", page.titles)
    times = sum(1 for _ in page.tree.iter("time")) if says else 0
    return f"its address or title, and {times} times" if times >= 8 else None


def paywall(page: PageFacts) -> str | None:
    """The beginning of an article: short, and the page says that there is more for those who pay."""
    if page.words > 3 * STUB_WORDS:
        return None
    left = find_line("paywall", "remaining", page.numbered_lines())
    if left:
        return repr(left[:80])
    paid = page.access in {"paid", "metered"} or page.structured.is_accessible_for_free is False
    whole = page.structured.word_count or 0
    if paid and whole > 2 * page.words + 100:
        return f"{whole} words by its own count, and not free"
    if page.words <= STUB_WORDS and (paid or page.is_declared) and page.access != "free":
        line = find_line("paywall", "lines", page.lines())
        return repr(line[:80]) if line else None
    return None
