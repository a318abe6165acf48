"""Everything that the archive keeps of an article is filled in by the extraction."""

from dataclasses import MISSING, fields

from pipeline.extract import PageInput, extract_article
from pipeline.model import Article

BODY = "".join(
    f"<p>{sentence}</p>"
    for sentence in (
        'HARBOUR (Reuters) - The four old cranes of the harbour have moved to <a href="/quay">the quay</a>.',
        "They were carried on barges, which took the whole night and most of the morning to arrive.",
        "The port authority says that the rails have been laid and that the quay is dry.",
        "Correction: An earlier version of this article named the wrong month.",
    )
)
PAGE = f"""<html lang="en"><head><title>Cranes move | Harbour News</title>
<meta name="robots" content="noai"><meta name="description" content="The harbour gets a new quay."><meta
property="og:site_name" content="Harbour News"><script type="application/ld+json">{{"@type": "OpinionNewsArticle",
"headline": "Cranes move", "isAccessibleForFree": true, "datePublished": "2026-03-04T08:00:00Z",
"dateModified": "2026-03-05T08:00:00Z", "keywords": ["cranes"], "articleSection": "Port",
"image": "https://harbour.example/a.jpg", "author": {{"@type": "Person", "name": "Ann Lee"}},
"publisher": {{"@type": "Organization", "name": "Harbour Press"}}}}</script></head><body><article><h1>Cranes move</h1>
<figure><img src="a.jpg" alt="A crane"><figcaption>The last crane at dawn,
seen from the old lighthouse</figcaption></figure>{BODY}</article></body></html>"""

FILLED_OTHERWISE = {"source", "page_class", "blocks", "sketch"}
"""Where a feed carried the text; of what is no plain article; of long blocks; by the process that reads pages."""


def test_no_field_of_an_article_is_left_at_its_default():
    article = extract_article(PageInput(PAGE.encode(), "https://harbour.example/cranes.html"))
    assert isinstance(article, Article)
    defaults = {
        field.name: field.default if field.default_factory is MISSING else field.default_factory()
        for field in fields(Article)
    }
    unfilled = {name for name, default in defaults.items() if getattr(article, name) == default}
    assert unfilled == FILLED_OTHERWISE
