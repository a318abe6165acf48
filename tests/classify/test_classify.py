"""What kind of page an answer is: pages written for each class, and articles that look like one and are none."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.classify import class_of_answer, class_of_refusal
from pipeline.classify.class_phrases import find_title
from pipeline.errors import ExtractError
from pipeline.extract import PageInput, extract_article
from pipeline.model import Article, Response
from pipeline.text.words import count_words, fold_words
from tests.support.stories import article_page, paragraphs

URL = "https://news.example/2026/11/harbour"
JSON_LD = '<script type="application/ld+json">{{"@context": "https://schema.org", {}}}</script>'


def page(body="", *, title="", head="", attributes=""):
    return f"<!doctype html><html><head><title>{title}</title>{head}</head><body {attributes}>{body}</body></html>"


def text(number=1, parts=4):
    return "".join(f"<p>{part}</p>" for part in paragraphs(number)[:parts])


def classify(source, url=URL):
    body = source if isinstance(source, bytes) else source.encode()
    found = extract_article(PageInput(body, url))
    return found.page_class if isinstance(found, Article) else found.reason


def teasers(count, words="The council has met again about the pier"):
    return "".join(
        f'<div class="teaser"><h3><a href="/2026/{number}">{words} for the {number}th time</a></h3>'
        f"<p>What was said in round {number} can be read here.</p></div>"
        for number in range(count)
    )


CLOUDFLARE = page(
    '<h1>news.example</h1><p>Checking that the connection is secure. This takes a few seconds.</p><div id="x"></div>'
    "<script>window._cf_chl_opt = {cvId: '3', cType: 'managed'};</script>",
    title="Just a moment...",
)
WALLS = {
    "Cloudflare's challenge": CLOUDFLARE,
    "Cloudflare's refusal": page(
        '<div id="cf-error-details"><h1>Sorry, you have been blocked</h1><p>This site is protected.</p></div>',
        title="Attention Required! | Cloudflare",
    ),
    "DataDome": page(
        "<p>Please enable JS and disable any ad blocker</p><script>var dd={'rt':'c','cid':'A','host':'geo.x'}</script>"
        '<script src="https://ct.captcha-delivery.com/c.js"></script>',
        title="news.example",
    ),
    "Akamai's refusal": page(
        "<h1>Access Denied</h1><p>You have no way in to this server.</p><p>Reference #18.2f3 "
        "https://errors.edgesuite.net/18.2f3</p>",
        title="Access Denied",
    ),
    "Akamai's interstitial": page('<div id="sec-if-cpt-container"></div><p>Powered and protected by us</p>'),
    "Imperva": page(
        '<iframe id="main-iframe" src="/_Incapsula_Resource?CWUDNSAI=23&xinfo=9">Request unsuccessful. '
        "Incapsula incident ID: 8790</iframe>"
    ),
    "Imperva by its title": page(
        "<h1>Pardon Our Interruption</h1><p>As you were browsing, something about your browser made us think that you "
        "are a bot.</p>",
        title="Pardon Our Interruption",
    ),
    "PerimeterX": page(
        '<h1>Before we go on</h1><div id="px-captcha"></div><p>Press and hold to confirm you are a human.</p>',
        title="Access to this page has been denied",
    ),
    "AWS": page("<div></div><script>window.gokuProps = {key: 'a'}; AwsWafIntegration.getToken()</script>"),
    "Sucuri": page("<h1>Sucuri WebSite Firewall - Access Denied</h1><p>Block reason: a bad bot.</p>"),
    "SiteGround": page("", head='<meta http-equiv="refresh" content="0;/.well-known/sgcaptcha/?r=%2F&y=ipc">'),
    "Anubis": page(
        "<h1>Making sure you're not a bot!</h1><script id='anubis_challenge' type='application/json'>{}</script>"
    ),
    "F5": page(
        "The requested URL was rejected. Please consult with your administrator. Your support ID is: 1279",
        title="Request Rejected",
    ),
    "a wall of nobody's, in English": page(
        "<h1>Are you a robot?</h1><p>We have seen unusual traffic from your network. Please confirm that you are "
        "human to go on.</p>",
        title="Are you a robot? | The Courier",
    ),
    "a wall of nobody's, in German": page(
        "<h1>Sicherheitsüberprüfung</h1><p>Bitte zeigen Sie, dass Sie ein Mensch sind, und lösen Sie die Aufgabe.</p>",
        title="Sicherheitsüberprüfung – Tal-Anzeiger",
    ),
    "a wall of nobody's, in French": page(
        "<h1>Accès refusé</h1><p>Nous avons remarqué un trafic inhabituel. Montrez que vous n'êtes pas un robot.</p>",
        title="Accès refusé",
    ),
    "a wall of nobody's, in Spanish": page(
        "<h1>Acceso denegado</h1><p>Confirme que usted no es un robot y vuelva a la portada.</p>", title="Un momento…"
    ),
}


@pytest.mark.parametrize("source", [pytest.param(source, id=name) for name, source in WALLS.items()])
def test_bot_walls(source):
    assert classify(source) == "bot_wall"


CONSENT_TEXT = (
    "<p>We and our 214 partners store and read information on your device, such as cookies, and process personal "
    "data to show personalised advertising. With your consent our partners may use your exact position.</p>"
)
CONSENTS = {
    "a gate at another address": (
        page(CONSENT_TEXT + "<button>Accept all</button><button>Reject all</button>", title="News Example"),
        "https://consent.news.example/collectConsent?sessionId=3",
    ),
    "a title and a button": (
        page(f"<h1>Your privacy choices</h1>{CONSENT_TEXT}<button>Agree</button>", title="Your privacy choices"),
        URL,
    ),
    "a title and what it speaks of": (page(CONSENT_TEXT, title="Before you continue"), URL),
    "pay or consent, in German": (
        page(
            "<h1>Mit Werbung weiterlesen</h1><p>Besuchen Sie uns wie gewohnt mit Werbung und Tracking. Details zur "
            "Einwilligung in der Datenschutzerklärung.</p><button>Akzeptieren und weiter</button><a>Pur-Abo</a>",
            title="Zustimmung | Tal-Anzeiger",
        ),
        URL,
    ),
    "in French": (
        page(
            "<h1>Le respect de votre vie privée est notre priorité</h1><p>Avec votre consentement, nos partenaires "
            "et nous utilisons des cookies et traceurs.</p><button>Tout accepter</button>"
        ),
        URL,
    ),
    "in Dutch, by its address": (
        page(
            "<p>Wij gebruiken cookies en vragen toestemming voor onze partners, ook voor tracking cookies.</p>"
            "<button>Akkoord</button>"
        ),
        "https://myprivacy.krant.example/consent?siteKey=4&callbackUrl=x",
    ),
}


@pytest.mark.parametrize(("source", "url"), [pytest.param(*given, id=name) for name, given in CONSENTS.items()])
def test_consent_pages(source, url):
    assert classify(source, url) == "consent"


@pytest.mark.parametrize(
    ("title", "body", "attributes"),
    [
        pytest.param("Page not found | The Courier", "<h1>We looked everywhere</h1>", "", id="in the title"),
        pytest.param("The Courier", "<h1>Oops! That page can't be found.</h1>", "", id="in the heading"),
        pytest.param("404", "<h1>404</h1>", "", id="nothing but the number"),
        pytest.param("Error 404 - Not Found", "<h1>Sorry</h1>", "", id="number and words"),
        pytest.param("The Courier", "<h1>Nowhere</h1>", 'class="error404 wide"', id="in the markup of the system"),
        pytest.param("Seite nicht gefunden – Tal-Anzeiger", "<h1>Hoppla</h1>", "", id="German"),
        pytest.param("Littoral", "<h1>Désolé, page introuvable !</h1>", "", id="French"),
        pytest.param("Página no encontrada · Crónica Sur", "<h1>Ups</h1>", "", id="Spanish"),
        pytest.param("Nie znaleziono strony", "<h1>404</h1>", "", id="Polish"),
        pytest.param("Страница не найдена", "<h1>404</h1>", "", id="Russian"),
        pytest.param("ページが見つかりません | 港新聞", "<h1>404</h1>", "", id="Japanese"),
        pytest.param("This article is no longer available", "<h1>Gone</h1>", "", id="taken down"),
    ],
)
def test_soft_404s(title, body, attributes):
    below = f"<p>Perhaps one of these is what was wanted.</p>{teasers(3)}"
    assert classify(page(body + below, title=title, attributes=attributes)) == "soft_404"


@pytest.mark.parametrize(
    ("source", "url"),
    [
        pytest.param(
            page(
                "<h1>Log in</h1><form><label>Mail</label><input name=mail><label>Password</label><input type=password>"
                "<button>Log in</button></form><p>New here? An account takes a minute, and costs nothing.</p>",
                title="Log in | The Courier",
            ),
            URL,
            id="by its title",
        ),
        pytest.param(
            page(
                "<h1>Good to see you again</h1><form><input name=mail><input type=PASSWORD></form>"
                "<p>Forgotten what you chose? We send you another one in no time.</p>",
                title="The Courier",
            ),
            "https://news.example/account/login?next=%2F2026%2F11%2Fharbour",
            id="by its address",
        ),
        pytest.param(
            page("<h1>Anmelden</h1><form><input type=password></form><p>Noch kein Konto? Hier geht es weiter.</p>"),
            URL,
            id="German",
        ),
    ],
)
def test_logins(source, url):
    assert classify(source, url) == "login"


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(page('<div id="root"></div><script src="/main.js"></script>', title="The Courier"), id="root"),
        pytest.param(page('<div id="__next"></div><script>self.x=1</script>'), id="another framework's root"),
        pytest.param(page("<app-root></app-root><script src=m.js></script>"), id="an element of its own"),
        pytest.param(
            page("<noscript>You need to enable JavaScript to run this app.</noscript><div></div><script></script>"),
            id="asks for scripts unseen",
        ),
        pytest.param(
            page("<p>Bitte aktivieren Sie JavaScript, um diese Seite zu sehen.</p><script></script>"), id="asks, German"
        ),
    ],
)
def test_script_shells(source):
    assert classify(source) == "script_shell"


@pytest.mark.parametrize(
    ("source", "url"),
    [
        pytest.param(page(teasers(12), title="The Courier"), "https://news.example/", id="front page"),
        pytest.param(page(teasers(9)), "https://news.example/category/harbour/page/2", id="section by its address"),
        pytest.param(page(teasers(9), attributes='class="archive category-4"'), URL, id="archive by its markup"),
        pytest.param(
            page(teasers(9), head=JSON_LD.format('"@type": "CollectionPage", "name": "Harbour"')), URL, id="declared"
        ),
    ],
)
def test_lists(source, url):
    assert classify(source, url) == "list"


@pytest.mark.parametrize(
    "end",
    [
        pytest.param('<div class="related', id="within a tag"),
        pytest.param("<script>var later = function () { return 1", id="within a script"),
        pytest.param("<p>The board meets again on the", id="within a sentence"),
    ],
)
def test_documents_that_end_in_the_middle(end):
    whole = page(text(parts=3), title="Harbour")
    assert classify(whole.replace("</body></html>", end)) == "truncated"


def declared(fields):
    return JSON_LD.format(f'"@type": "NewsArticle", "headline": "Pier", "url": "{URL}", {fields}')


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            page(
                text(parts=1) + "<p>Subscribe to continue reading.</p>", head=declared('"isAccessibleForFree": false')
            ),
            id="declared, and said",
        ),
        pytest.param(
            page(text(parts=2), head=declared('"isAccessibleForFree": "False", "wordCount": 900')),
            id="longer by its own count",
        ),
        pytest.param(
            page(text(parts=2) + "<div>Il vous reste 84.12% de cet article à lire. La suite est réservée.</div>"),
            id="so much is left, French",
        ),
        pytest.param(
            page(text(parts=1) + "<div>Jetzt weiterlesen mit T+</div>", head=declared('"author": "Ada Ruiz"')),
            id="said, German",
        ),
        pytest.param(
            page(
                text(parts=1) + "<section>Suscríbete para seguir leyendo</section>",
                head='<meta property="article:content_tier" content="locked">',
            ),
            id="tier, and said, Spanish",
        ),
    ],
)
def test_beginnings_that_only_subscribers_see_the_rest_of_are_stored_and_flagged(source):
    assert classify(source) == "paywall"


@pytest.mark.parametrize(
    ("source", "url"),
    [
        pytest.param(
            page(text(), head=JSON_LD.format(f'"@type": "LiveBlogPosting", "headline": "Pier", "url": "{URL}"')),
            URL,
            id="declared",
        ),
        pytest.param(
            page(
                "".join(f"<time>1{n}:00</time><p>{part}</p>" for n in range(3) for part in paragraphs(n))
                + "<time>9:00</time>" * 8
            ),
            "https://news.example/world/live/2026/nov/22/harbour",
            id="address and times",
        ),
    ],
)
def test_live_blogs_are_stored_and_flagged(source, url):
    assert classify(source, url) == "live_blog"


# Articles that have a mark of something else.
ARTICLES = {
    "a plain one": article_page(3),
    "behind Cloudflare, which watches": page(
        f"<h1>Pier</h1>{text()}<script>window.__CF$cv$params={{r:'8'}};a.src='/cdn-cgi/challenge-platform/h/b/scripts/jsd/m.js'"
        "</script>"
    ),
    "behind DataDome": page(text(), head="<script src='https://js.datadome.co/tags.js'></script>"),
    "behind Imperva": page(text() + "<script src='/_Incapsula_Resource?SWJIYLWA=719d34d31'></script>"),
    "about robots": page(f"<h1>Are you a robot?</h1>{text()}", title="Are you a robot? | The Courier"),
    "with a banner for cookies": page(
        f"<h1>Pier</h1>{text()}<div class=banner>We value your privacy. We and our partners use cookies."
        "<button>Accept all</button><button>Reject</button></div>"
    ),
    "about cookies": page(
        "<h1>Cookies, and what the court says</h1>"
        + "".join(
            f"<p>A cookie needs consent, the court said in case {n}, and partners must be named.</p>" for n in range(4)
        ),
        title="Cookies, and what the court says",
    ),
    "about pages that are not found": page(
        f"<h1>Page not found: how a town lost its archive</h1>{text()}{text(2)}",
        title="Page not found: how a town lost its archive",
    ),
    "short, with a headline like an error": article_page(
        4,
        text=["Page not found was the answer that the archive gave for a week. Now all of it is back, says the mayor."],
    ),
    "with a form to log in": page(
        f"<form><input name=m><input type=password><button>Log in</button></form><h1>Pier</h1>{text()}"
    ),
    "with a hint about JavaScript": page(
        f"<noscript>Please enable JavaScript for comments.</noscript><h1>Pier</h1>{text()}<script></script>"
    ),
    "with many teasers below": article_page(5).replace("</main>", teasers(20) + "</main>"),
    "a list of things, each with a link": page(
        "<h1>Eight piers to see this winter</h1>"
        + "".join(
            f'<h2><a href="https://p{n}.example/">The pier of the town number {n} on the coast</a></h2>'
            f"<p>Built in 18{n}0, it is the {n}th of its kind. {part}</p>"
            for n in range(8)
            for part in paragraphs(n)[:1]
        )
    ),
    "without the end of the document": "<html><body><h1>Pier</h1>" + text(),
    "without any frame": text(),
    "for subscribers, and whole": page(
        f"<h1>Pier</h1>{text()}{text(2)}<div>Subscribe to continue reading</div>",
        head=declared('"isAccessibleForFree": false, "wordCount": 420'),
    ),
    "free, with an offer": page(
        f"<h1>Pier</h1>{text()}<div>Already a subscriber? Subscribe now.</div>",
        head=declared('"isAccessibleForFree": true'),
    ),
    "about something live": article_page(6, headline="Live music returns to the covered market"),
}


@pytest.mark.parametrize("source", [pytest.param(source, id=name) for name, source in ARTICLES.items()])
def test_articles_are_taken_for_nothing_else(source):
    assert classify(source) == "article"


@pytest.mark.parametrize(
    ("media_type", "body", "kind"),
    [
        pytest.param("application/pdf", b"anything", "pdf", id="a PDF by its label"),
        pytest.param("text/html", b"\n%PDF-1.7 ...", "pdf", id="a PDF by its bytes"),
        pytest.param("image/jpeg", b"\xff\xd8\xff", "content_type", id="a picture by its label"),
        pytest.param("text/html", b"\x89PNG\r\n\x1a\n", "content_type", id="a picture by its bytes"),
        pytest.param("application/json", b"{}", "content_type", id="data by its label"),
        pytest.param("text/html", b'{"error": "no such story"}\n', "content_type", id="data by its bytes"),
        pytest.param("text/html", b'<?xml version="1.0"?><rss version="2.0"><channel/>', "content_type", id="a feed"),
        pytest.param("text/xml", b"\xef\xbb\xbf <urlset xmlns='x'></urlset>", "content_type", id="a sitemap"),
        pytest.param("application/zip", b"PK\x03\x04", "content_type", id="an archive"),
        pytest.param("text/html", b"<!doctype html><html>", None, id="a page"),
        pytest.param("", b"<p>a page without a label", None, id="a page without a label"),
        pytest.param("text/plain", b"<html><body>", None, id="a page with a wrong label"),
        pytest.param("application/xhtml+xml", b'<?xml version="1.0"?><html><!-- <rss -->', None, id="XHTML"),
    ],
)
def test_what_is_no_html_is_known_without_reading_it(media_type, body, kind):
    found = class_of_answer(answer(body, {"content-type": media_type}))
    assert (found.page_class if found else None) == kind


def answer(body, headers, status=200):
    return Response(URL, status, headers, body, datetime.now(UTC), timedelta(0))


@pytest.mark.parametrize(
    ("headers", "wall"),
    [
        pytest.param({"cf-mitigated": "challenge"}, True, id="Cloudflare"),
        pytest.param({"x-amzn-waf-action": "challenge"}, True, id="AWS, with status 202"),
        pytest.param({"x-vercel-mitigated": "challenge"}, True, id="Vercel"),
        pytest.param({"server": "cloudflare", "cf-ray": "8"}, False, id="Cloudflare as it always is"),
        pytest.param({"x-datadome": "protected"}, False, id="DataDome as it always is"),
    ],
)
def test_walls_that_say_so_in_their_headers(headers, wall):
    found = class_of_answer(answer(b"<html>", headers, 202))
    assert (found is not None and found.page_class == "bot_wall") is wall


@pytest.mark.parametrize(
    ("status", "headers", "body", "wall"),
    [
        pytest.param(403, {}, CLOUDFLARE, True, id="a challenge"),
        pytest.param(503, {"cf-mitigated": "challenge"}, "", True, id="by its headers alone"),
        pytest.param(403, {"x-datadome": "protected"}, "", True, id="DataDome refuses"),
        pytest.param(403, {"server": "AkamaiGHost"}, "<h1>Access Denied</h1>", True, id="Akamai refuses"),
        pytest.param(405, {"x-amzn-waf-action": "captcha"}, "", True, id="AWS asks for a captcha"),
        pytest.param(403, {}, page("<h1>Forbidden</h1>"), False, id="a refusal of the site's own"),
        pytest.param(429, {"server": "nginx"}, "slow down", False, id="too many requests"),
        pytest.param(404, {"x-datadome": "protected"}, "", False, id="not found, at a protected site"),
        pytest.param(500, {}, CLOUDFLARE, False, id="an error of the server"),
        pytest.param(None, {}, "", False, id="no answer at all"),
    ],
)
def test_refusals_of_bot_walls_are_told_from_others(status, headers, body, wall):
    found = class_of_refusal(status, headers, body.encode())
    assert (found is not None and found.page_class == "bot_wall") is wall


def test_a_verdict_says_what_speaks_for_it():
    found = extract_article(PageInput(CLOUDFLARE.encode(), URL))
    assert found.message == "a challenge of Cloudflare"


@pytest.mark.parametrize(
    ("text", "words"),
    [("one two", 2), ("", 0), ("港の古い桟橋", 3), ("don't", 2), ("Ab 12", 2)],
)
def test_words_are_counted_in_scripts_without_spaces_too(text, words):
    assert count_words(text) == words


@given(st.text())
def test_folding_twice_is_folding_once_and_titles_survive_anything(value):
    assert fold_words(fold_words(value)) == fold_words(value)
    find_title("soft_404", [value])


PIECES = (
    "<html",
    "<body>",
    "<body class='error404'>",
    ">",
    "<title>404</title>",
    "<svg><title>x</title>",
    "<h1>",
    "<h2><a href='/x'>A long heading of a page</a></h2>",
    "<script>",
    "<!--",
    "<time>",
    "<input type=password>",
    "a b c. ",
    '"',
    "\u202e",
    "</html>",
)


@given(st.lists(st.sampled_from(PIECES)))
def test_classifying_survives_any_markup(pieces):
    with suppress(ExtractError):  # nothing in it, or nothing that a parser makes elements of
        classify("".join(pieces))
