"""Chinese, Japanese and Korean bylines, where no space parts names from what stands beside them."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from pipeline.metadata import read_metadata
from pipeline.metadata.bylines import east_asian_names
from pipeline.metadata.bylines.person_names import read_names

BYLINES = {
    "reporter before": ("记者 李晓华 报道", ["李晓华"]),
    "reporter before, glued": ("本报记者李晓华", ["李晓华"]),
    "text by, with a stroke": ("文/陈伟", ["陈伟"]),
    "author behind the source": ("来源：海港晚报 作者：陈伟 2026-03-05 08:15", ["陈伟"]),
    "text and pictures": ("文：陈伟 图：李晓华", ["陈伟"]),
    "two reporters": ("记者 陈伟 李晓华", ["陈伟", "李晓华"]),
    "reporter and place in Taiwan": ("記者林大明／台北報導", ["林大明"]),
    "surname of two signs": ("记者 欧阳海", ["欧阳海"]),
    "paper and desk in Japan": ("海新聞 社会部 佐藤花子", ["佐藤花子"]),
    "Japanese brackets": ("【佐藤花子】", ["佐藤花子"]),
    "Japanese brackets with a place": ("【ロンドン=佐藤花子】", ["佐藤花子"]),
    "a space in a Japanese name": ("佐藤 花子", ["佐藤 花子"]),
    "two in Japan": ("佐藤花子、田中一郎", ["佐藤花子", "田中一郎"]),
    "a button behind": ("佐藤花子 フォロー 関心分野 港湾", ["佐藤花子"]),
    "reporter behind in Korea": ("박서연 기자", ["박서연"]),
    "address behind in Korea": ("박서연 기자 seoyeon@harbour.example", ["박서연"]),
    "two in Korea": ("본보 박서연·이도윤 기자", ["박서연", "이도윤"]),
    "only a desk": ("デジタル編集部", ["デジタル編集部"]),
}


@pytest.mark.parametrize(("text", "names"), BYLINES.values(), ids=BYLINES.keys())
def test_names_are_told_from_what_stands_beside_them(text, names):
    assert [name.text for name in read_names([text])] == names


SIGNED = {
    "Korean, at the end": (
        "<p>항만 위원회는 동쪽 갑문을 넓히기로 했다.</p><p>박서연 기자 seoyeon@harbour.example</p>",
        "박서연",
    ),
    "Chinese, at the begin": ("<p>海港晚报讯（记者陈伟）港务局决定拓宽东部船闸。</p><p>工程明年开工。</p>", "陈伟"),
    "Chinese, at the end": ("<p>港务局决定拓宽东部船闸。</p><p>工程明年开工。（記者 林大明）</p>", "林大明"),
}


@pytest.mark.parametrize(("body", "name"), SIGNED.values(), ids=SIGNED.keys())
def test_reporters_sign_in_the_first_or_last_line(body, name):
    tree = html.document_fromstring(f"<html><body><article><h1>船闸 갑문</h1>{body}</article></body></html>")
    assert read_metadata(tree, "https://harbour.example/1").authors == (name,)


def test_a_reporter_in_the_middle_of_the_story_has_not_signed_it():
    body = "<p>港务局决定拓宽船闸。</p>" * 4 + "<p>他对记者陈伟说，工程明年开工。</p>" + "<p>居民不太高兴。</p>" * 4
    tree = html.document_fromstring(f"<html><body><article><h1>船闸</h1>{body}</article></body></html>")
    assert read_metadata(tree, "https://harbour.example/1").authors == ()


def test_the_examples_of_the_module_hold():
    assert doctest.testmod(east_asian_names).failed == 0


@given(st.text(alphabet="记者王小明文/：:（）【】김민수기자 山田太郎社会部・、=a@.", max_size=40))
def test_any_mixture_of_signs_is_survived(text):
    assert all(name.text.strip() for name in read_names([text]))
