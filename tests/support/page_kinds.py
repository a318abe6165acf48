"""Pages of other kinds than articles, one of each, in the markup of the sites that have such."""

import json

from tests.support.stories import paragraphs

MENU = "".join(
    f'<li><a href="/{name}">{name.title()}</a></li>' for name in ("home", "shop", "about", "contact", "help")
)
FOOTER = '<footer><a href="/terms">Terms</a> <a href="/privacy">Privacy</a> © Wick &amp; Wool Ltd</footer>'


def page(body, title, head=""):
    """A page of a site with a menu and a footer."""
    return (
        f'<!doctype html><html lang="en"><head><title>{title}</title>{head}</head><body><nav><ul>{MENU}</ul></nav>'
        f"<main>{body}</main>{FOOTER}</body></html>"
    )


def json_ld(kind, **node):
    """What a page declares, as JSON-LD."""
    node = {"@context": "https://schema.org", "@type": kind} | node
    return f'<script type="application/ld+json">{json.dumps(node)}</script>'


def card(number):
    """One product among others."""
    return f"""<li class="product-card"><a href="/products/blanket-{number}"><img src="/{number}.jpg">
<h3>Blanket No. {number}</h3></a><span class="price">€{40 + number}.00</span><button>Add to cart</button></li>"""


PRODUCT = page(
    f"""<h1>Harbour blanket</h1><img src="/b.jpg"><span class="price">€89.00</span><label>Size</label><button>S</button>
<button>M</button><button>Add to cart</button><button>Add to wishlist</button><p>Our softest blanket is woven
of lambswool
by a family mill, and keeps you warm on any deck.</p><ul><li>100% wool</li><li>130 × 180 cm</li><li>Free
shipping</li></ul>
<h2>Shipping &amp; returns</h2><p>Order by noon and your blanket ships today. Send it back within 30 days for a
refund.</p>
<h2>You may also like</h2><ul>{"".join(map(card, range(4)))}</ul>
<h2>Reviews</h2><p>Lovely and warm, I ordered a second one.</p>""",
    "Harbour blanket | Wick &amp; Wool",
    json_ld("Product", name="Harbour blanket", offers={"@type": "Offer", "price": "89.00", "priceCurrency": "EUR"})
    + '<meta property="og:type" content="product">',
)
COLLECTION = page(
    f"""<h1>Blankets</h1><p>Woven of wool and cotton, our blankets keep you warm on any deck, in any season of
the year.</p>
<button>Filter</button><button>Sort by</button><ul>{"".join(map(card, range(24)))}</ul>
<a href="/collections/blankets?page=2">Load more</a>""",
    "Blankets | Wick &amp; Wool",
    '<meta property="og:type" content="website">',
)
SERVICE = page(
    """<h1>Moving services in Porthaven</h1><p>We move homes and offices. Our licensed team packs, carries and
unpacks for
you, and we are insured for all that you own.</p><a href="/quote">Get a free quote</a><h2>Why choose us</h2>
<ul><li>Free consultation</li><li>No hidden fees</li><li>Our customers love us</li></ul><h2>Our services</h2>
<h3>Home moves</h3><p>Call us today and we will give you a price for your move.</p><h3>Office moves</h3>
<p>We plan your move with you, so that your team can work on Monday.</p><h2>How it works</h2><p>Contact us, get
a quote, and
book your day. We do the rest for you.</p><h2>Testimonials</h2><p>They were on time and careful with our piano.</p>
<form><input name="name"><input name="phone"><button>Request a quote</button></form><h2>Contact us</h2><p>Call
now or book
a visit of our team.</p><a href="tel:+1">Call us</a>""",
    "Moving services in Porthaven | Quay Movers",
    json_ld("LocalBusiness", name="Quay Movers") + '<meta property="og:type" content="website">',
)
POSTS = "".join(
    f"""<div class="post"><a href="/u/sailor{number}">sailor{number}</a> <span>posted {number} days
ago</span><p>I have had
the same with my anchor number {number}, you should try more chain and wait for it to settle.</p><button>Like</button>
<button>Quote</button><button>Reply</button><span>{number} likes</span></div>"""
    for number in range(1, 12)
)
FORUM = page(
    f"<h1>Anchor drags in soft mud</h1>{POSTS}<p>12 replies, 4k views. Log in to reply.</p>",
    "Anchor drags in soft mud - Sailing forum",
    json_ld("DiscussionForumPosting", headline="Anchor drags in soft mud"),
)
DOCUMENTATION = page(
    """<aside>On this page<ul><li><a href="#install">Installation</a></li><li><a href="#use">Usage</a></li></ul></aside>
<h1>Configuration reference</h1><h2 id="install">Installation</h2><pre><code>tide install
--user</code></pre><p>The command
writes the file <code>tide.toml</code>, in which every option has a default.</p><h2 id="use">Usage</h2><pre><code>tide
--port 80</code></pre><pre><code>tide --help</code></pre><p>See <a href="/docs/latest/api.html">the API</a> for all
functions.</p><table><tr><td><code>port</code></td><td>the port that the server listens
to</td></tr><tr><td><code>host</code>
</td><td>its address</td></tr></table><pre><code>[server]
port = 80</code></pre><a href="/docs/latest/a.html">Previous</a> <a href="/docs/latest/b.html">Next</a>""",
    "Configuration reference — Tide 2.1 documentation",
    '<meta name="generator" content="Sphinx">',
)
TEASERS = "".join(
    f"""<article class="card"><a href="/news/item-{number}"><img src="/{number}.jpg"><h3>The mill opens its
doors for the
{number}th time</h3></a><time>{number + 1} May 2026</time><p>Visitors saw looms from five centuries, and could
try one of
them. There was tea, too, and wool for all who came with children.</p><a href="/news/item-{number}">Read
more</a></article>"""
    for number in range(12)
)
LISTING = page(
    f'<h1>News</h1>{TEASERS}<a href="/news?page=2">Older posts</a>',
    "News | Wick &amp; Wool",
    '<meta property="og:type" content="website">',
)
RECIPE = page(
    f"<article><h1>Bread of the quay</h1>{''.join(f'<p>{part}</p>' for part in paragraphs(3))}</article>",
    "Bread of the quay",
    json_ld("Recipe", name="Bread of the quay", recipeIngredient=["flour"]),
)
VIDEO = page(
    """<h1>The crane comes down</h1><video src="/v.mp4"></video><p>The old crane of the quay was taken down on
Friday, after
months of work.</p>""",
    "The crane comes down",
    '<meta property="og:type" content="video.other">',
)
GALLERY = page(
    "<h1>The crane comes down</h1><p>The old crane of the quay was taken down on Friday, after months of work.</p>"
    + "<img src=/p.jpg>" * 20,
    "The crane comes down",
)
PAGES = {
    "product": (PRODUCT, "https://wick.example/products/harbour-blanket"),
    "collection": (COLLECTION, "https://wick.example/collections/blankets"),
    "service": (SERVICE, "https://quaymovers.example/services/moving-services/"),
    "forum": (FORUM, "https://forum.sail.example/t/anchor-drags-in-soft-mud/4711"),
    "documentation": (DOCUMENTATION, "https://docs.tide.example/en/latest/reference.html"),
    "list": (LISTING, "https://wick.example/news"),
    "recipe": (RECIPE, "https://courier.example/food/bread"),
    "video": (VIDEO, "https://courier.example/video/crane"),
    "gallery": (GALLERY, "https://courier.example/gallery/crane"),
}
