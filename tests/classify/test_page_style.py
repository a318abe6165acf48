"""How a page is written and built, as numbers: each counts what its name says."""

import math

import pytest

from pipeline.classify.page_numbers import NAMES
from pipeline.classify.page_style import STYLE_NAMES, USUAL
from pipeline.extract import PageInput, explain_article
from tests.support.page_kinds import page

URL = "https://weir.example/topics/mill"
FIRST = "The weir at the old mill is leaking again, and nobody on the council can say who ought to mend it this year."
SECOND = "Its sluice was built by a miller who died before the railway came, and the two gates are of green oak."
THIRD = "Whoever opens them has to stand in the water up to the knees, as his daughter wrote in a letter of 1851."
FOURTH = (
    "The railway brought coal, the wheel was sold for its iron, and what is left of the mill is a kitchen with ducks."
)
LINK = '<a href="/else">What the others have written of the mill and of its owner in the last few years or so</a>'


def numbers_of_body(body, url=URL, head="", attributes=""):
    """The numbers of a page with this body, by their names."""
    source = page(body, "The mill", head).replace("<body>", f"<body {attributes}>")
    return dict(zip(NAMES, explain_article(PageInput(source.encode(), url)).numbers, strict=True))


def test_the_style_stands_among_the_numbers_of_a_page():
    assert NAMES[-len(STYLE_NAMES) :] == STYLE_NAMES
    assert len(set(NAMES)) == len(NAMES)


def test_letters_of_sentences_and_of_labels_differ():
    said = numbers_of_body(f"<p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p><p>{FOURTH}</p>")
    words = f"{FIRST} {SECOND} {THIRD} {FOURTH}".replace(",", "").replace(".", "").replace(" 1851", "").split()
    assert said["capitals"] == pytest.approx(4 / len(words))
    assert said["word_length"] == pytest.approx(sum(map(len, words)) / len(words))
    assert said["different_words"] == pytest.approx(len({word.lower() for word in words}) / len(words))
    assert (said["quotes"], said["exclamations"]) == (0, 0)
    told = numbers_of_body(f"<p>“{FIRST}” Mend It Now! {FIRST} {FIRST} {FIRST}</p>")
    assert told["capitals"] > said["capitals"]
    assert told["different_words"] < said["different_words"]
    assert told["compressed"] < said["compressed"]
    assert told["quotes"] == pytest.approx(2 * told["exclamations"])


def test_a_few_words_have_the_letters_that_articles_have():
    found = numbers_of_body(f"<p>MEND IT! MEND IT! MEND IT! {FIRST}</p>")
    assert tuple(found[name] for name in STYLE_NAMES[: len(USUAL)]) == USUAL


def test_elements_are_counted_by_the_words_of_their_class():
    cards = f'<div class="shop-item productCard"><p class="item__price">{FIRST}</p></div>' * 3
    found = numbers_of_body(cards)
    assert found["named_item"] == pytest.approx(math.log1p(6))
    assert found["named_price"] == pytest.approx(math.log1p(3))
    assert found["named_product"] == found["named_post"] == 0  # "productcard" is another word


@pytest.mark.parametrize(
    ("url", "is_headline"),
    [
        ("https://weir.example/2026/who-mends-the-weir", True),
        ("https://weir.example/who_mends_the_weir.html/", True),
        (URL, False),
        ("https://weir.example/topics-of-the-mill/weir", False),
    ],
)
def test_an_address_that_ends_with_a_headline_is_told(url, is_headline):
    assert numbers_of_body(f"<p>{FIRST}</p><p>{SECOND}</p>", url)["headline_in_address"] == is_headline


@pytest.mark.parametrize(
    ("names", "of_list", "of_one", "of_page"),
    [
        ("archive category category-12", 2, 0, False),
        ("single single-post postid-7", 0, 3, False),
        ("page page-id-3", 0, 0, True),
        ("dark wide", 0, 0, False),
    ],
)
def test_the_class_of_the_body_says_what_kind_of_page_it_is(names, of_list, of_one, of_page):
    found = numbers_of_body(f"<p>{FIRST}</p><p>{SECOND}</p>", attributes=f'class="{names}"')
    assert (found["body_of_list"], found["body_of_one"], found["body_of_page"]) == (of_list, of_one, of_page)


def test_what_is_declared_and_what_is_filled_in_is_counted():
    node = '<script type="application/ld+json">[{"@type": "Organization", "name": "Mill"}, {"@type": "Place"}]</script>'
    fields = '<label>Oak <input type="checkbox"></label><label>Elm <input type="radio"></label><input type="text">'
    figure = "<figure><img src='/w.jpg'><figcaption>The weir</figcaption></figure>"
    found = numbers_of_body(f"<h1>Who mends it</h1><p>{FIRST}</p><p>{SECOND}</p>{figure}{fields}", head=node)
    assert found["nodes_declared"] == pytest.approx(math.log1p(2))
    assert found["h1_words"] == 3
    assert found["choices"] == found["tags_label"] == pytest.approx(math.log1p(2))
    assert found["tags_figcaption"] == pytest.approx(math.log1p(1))
    assert numbers_of_body(f"<p>{FIRST}</p><p>{SECOND}</p>")["h1_words"] == -1


def test_a_text_that_runs_on_has_one_long_run_and_teasers_have_short_ones():
    whole = numbers_of_body(f"<h1>The weir</h1><p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p>")
    assert whole["gaps"] == 0
    assert whole["longest_run"] == pytest.approx(math.log1p(len(FIRST + SECOND + THIRD)))
    assert whole["most_in_one"] == pytest.approx(math.log1p(3))
    size = len(FIRST + SECOND + THIRD)
    assert whole["kept_ended"] == pytest.approx(size / (size + len("The weir")))  # the headline is among the blocks
    assert whole["prose_left"] == 0
    between = numbers_of_body(f"<h1>The weir</h1><p>{FIRST}</p><p>{LINK}</p><p>{LINK}</p><p>{SECOND}</p>")
    assert between["gaps"] > 0
    assert between["longest_run"] < whole["longest_run"]


def test_lines_that_are_dates_and_the_length_of_headings_are_told():
    dates = "".join(
        f"<p>{date}</p>" for date in ("2026-05-04", "4/5/2026", "4. Mai 2026", "May 4, 2026", "4 of 20 gates")
    )
    found = numbers_of_body(f"<h2>Four</h2><h2>Eleven left</h2><p>{FIRST}</p>{dates}<p>{FIRST} It was 4 May 2026.</p>")
    assert found["dated_lines"] == pytest.approx(math.log1p(4))
    assert found["heading_length"] == pytest.approx((len("Four") + len("Eleven left")) / 2)
