"""Pages with little text or none: what stands around it is not taken in its place."""

import json

import pytest

from pipeline.extract import PageInput, extract_article
from pipeline.model import Article, NoArticle

URL = "https://lantern.example/2026/11/12/lamp"
MENU = "".join(f"<li><a href=/{name}>{name.title()}</a></li>" for name in ("town", "sea", "stage", "boats", "notices"))
OTHERS = "<aside><h3>Most read</h3><ul><li><a href=/x>Gulls steal the mayor's lunch</a></li></ul></aside>"
FOOTER = "<footer><p>© 2026 The Lantern</p><ul><li><a href=/imprint>Imprint</a></li></ul></footer>"
TEXT = [
    "The lamp of the northern lighthouse will be lit again before Christmas, the keepers said on Thursday.",
    "It went dark in October, when a storm broke two panes and the rain reached the motor that turns it.",
    "A workshop inland has made new panes, which three people carried up the stairs in a single morning.",
    "Fishermen had asked for it, since the light of the new pier is hidden by the grain silo at low tide.",
]


def read(inside, language="en", title="The lamp will be lit again", scripts=""):
    page = (
        f"<!doctype html><html lang={language}><head><meta charset=utf-8><title>{title}</title></head><body><header>"
        f"<nav><ul>{MENU}</ul></nav></header><main>{inside}</main>{OTHERS}{FOOTER}{scripts}</body></html>"
    )
    return extract_article(PageInput(page.encode(), URL))


@pytest.mark.parametrize(
    "inside",
    [
        pytest.param("", id="nothing"),
        pytest.param("<article></article>", id="an empty article"),
        pytest.param("<div class=spinner>Loading…</div>", id="a spinner"),
        pytest.param("<article><h1>The lamp will be lit again</h1></article>", id="a headline alone"),
    ],
)
def test_menus_are_no_article(inside):
    assert isinstance(read(inside), NoArticle)


SHORT = {
    "a sentence": ("en", TEXT[:1]),
    "two sentences": ("en", TEXT[:2]),
    "Chinese": (
        "zh",
        ["北灯塔的灯将在圣诞节前重新点亮，守塔人表示。", "十月的风暴打碎了玻璃，雨水进入了电机。"],
    ),
    "Japanese": (
        "ja",
        ["北の灯台の明かりが、もう一度つきます。", "十月のあらしで、ガラスが二枚われました。"],
    ),
    "Korean": ("ko", ["북쪽 등대의 불이 성탄절 전에 다시 켜질 것이라고 등대지기들이 목요일에 밝혔다."]),
}


@pytest.mark.parametrize(("language", "texts"), SHORT.values(), ids=SHORT)
def test_a_short_report_comes_alone(language, texts):
    found = read(
        f"<article><h1>{texts[0][:12]}</h1>{''.join(f'<p>{text}</p>' for text in texts)}</article>",
        language,
        texts[0][:12],
    )
    assert isinstance(found, Article)
    assert found.text == "\n\n".join(texts)


ELEMENTS = ["$", "div", None, {"children": [["$", "p", None, {"children": text}] for text in TEXT]}]
STATES = {
    "a list of blocks": "window.page = " + json.dumps({"parts": [{"type": "text", "content": text} for text in TEXT]}),
    "markup in blocks": json.dumps({"body": [{"type": "text", "content": f"<p>{text}</p>"} for text in TEXT]}),
    "blocks with children": "var story = "
    + json.dumps([{"_type": "block", "children": [{"text": text[:20]}, {"text": text[20:]}]} for text in TEXT]),
    "a stream of elements": "self.__next_f.push(" + json.dumps([1, "5:" + json.dumps(ELEMENTS) + "\n"]) + ")",
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_a_text_that_only_the_scripts_hold_is_read_from_them(state):
    found = read("<div id=root></div>", scripts=f"<script>{state}</script>")
    assert isinstance(found, Article)
    assert found.text == "\n\n".join(TEXT)


@pytest.mark.parametrize(
    "state",
    [
        pytest.param("window.a = {b: function() { return [1, 2] }}", id="a program"),
        pytest.param("x = [" * 3000, id="nested without end"),
        pytest.param('self.__next_f.push([1,"5:[" ])', id="a stream cut off"),
        pytest.param('{"items": [{"type": "link", "text": "Town"}, {"type": "link", "text": "Sea"}]}', id="a menu"),
    ],
)
def test_scripts_without_a_text_give_none(state):
    assert isinstance(read("<div id=root></div>", scripts=f"<script>{state}</script>"), NoArticle)
