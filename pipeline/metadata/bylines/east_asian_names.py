"""Names in Chinese, Japanese and Korean bylines: 记者 王小明, 文/王小明, 社会部 山田太郎, 김민수 기자.

No space parts what stands there from the names, so that they are found by what introduces or follows them, and by
their form: a Chinese or Korean surname with one or two signs, three to six signs in Japanese.
"""

import re
from collections.abc import Iterator
from functools import cache

from pipeline.metadata.data_files import load_endings, load_table, load_words

_HAN, _KANA, _HANGUL = "\u3400-\u9fff々", "\u3041-\u30ff", "\uac00-\ud7af"
_SIGNS = re.compile(f"[{_HAN}{_KANA}{_HANGUL}]")
_MAY_BE_NAME = re.compile(f"[{_HAN}{_KANA}]{{2,7}}|[{_HAN}]{{1,3}}[ \u3000][{_HAN}{_KANA}]{{1,4}}|[{_HANGUL}]{{2,5}}")
_WHOLE_IN_BRACKETS = re.compile(r"\s*[【［\[（(〔]([^】］\]）)〕]{2,40})[】］\]）)〕]\s*")
_BUTTONS = re.compile("フォロー|プロフィール|関心分野|구독|팔로우|다른기사|关注|關注|简介")
_ADDRESS = re.compile(r"\S*(?:@|://)\S*")
_PLACE = re.compile(f"[{_HAN}]{{2,3}}(?:報導|报道|报导|報道)")  # 台北報導
_PARTS = re.compile(r"[\s\u3000、，,;；/／|｜・·&]+")
_TAIL = re.compile(
    f"(?:[{_HANGUL}]{{2,4}}) ?기자|(?:记者|記者)[:： ]?([{_HAN}]{{2,4}})(?=[）)】\\]\\s，、。]|报道|報道|报导|$)"
)


def is_east_asian(text: str) -> bool:
    """Whether most letters of the text are Chinese, Japanese or Korean."""
    if not _SIGNS.search(text):  # as nearly always
        return False
    text = _ADDRESS.sub("", text)
    return 2 * len(_SIGNS.findall(text)) > sum(char.isalpha() for char in text)


def is_east_asian_name(text: str) -> bool:
    """Whether the text has the form of a person's name in these scripts.

    >>> is_east_asian_name("王小明"), is_east_asian_name("김민수"), is_east_asian_name("山田 太郎")
    (True, True, True)
    >>> is_east_asian_name("社会部"), is_east_asian_name("港口日报"), is_east_asian_name("뉴스팀")
    (False, False, False)
    """
    if not _MAY_BE_NAME.fullmatch(text) or text.endswith(load_endings("desks")) or text in load_words("nobody"):
        return False
    if re.search(f"[{_HANGUL}]", text):
        return text[0] in _surnames("korean")[0] and len(text) <= 4
    return " " in text or "\u3000" in text or len(text) >= 3 or _is_chinese(text)


def _is_chinese(name: str) -> bool:
    single, double = _surnames("chinese")
    return (name[0] in single and len(name) in {2, 3}) or (name[:2] in double and len(name) in {3, 4})


@cache
def _surnames(name: str) -> tuple[frozenset[str], frozenset[str]]:
    listed = load_table("bylines")["surnames"][name].split()
    return frozenset(listed[0]), frozenset(listed[1:])


def split_east_asian(text: str) -> Iterator[str]:
    """The names in a byline of these scripts, and newsrooms where nobody else stands there.

    >>> list(split_east_asian("来源：港口日报 作者：王小明")), list(split_east_asian("港新聞 社会部 山田太郎"))
    (['王小明'], ['山田太郎'])
    """
    if match := _WHOLE_IN_BRACKETS.fullmatch(text):
        text = match[1]
    text = _BUTTONS.split(text, maxsplit=1)[0]
    if labelled := _labels().findall(text):
        text = " ".join(labelled)
    text = re.sub(r"[（(【\[][^）)】\]]{0,40}[）)】\]]|^[^=＝]{1,8}[=＝]", " ", text)  # 【ロンドン=佐藤花子】
    raw = _PARTS.split(text)
    parts = [bare for part in raw if (bare := _bare(part)) and not (len(raw) > 1 and _PLACE.fullmatch(part))]
    people = [part for part in parts if not part.endswith(load_endings("desks")) and part not in load_words("nobody")]
    if len(people) == 2 and max(map(len, people)) <= 3 and not (any(map(_is_korean, people)) or _are_whole(people)):
        yield " ".join(people)  # surname and given name
        return
    surely = [part for part in people if is_east_asian_name(part)]
    yield from surely or people or parts[:1]


def _are_whole(people: list[str]) -> bool:
    return all(map(_is_chinese, people)) and min(map(len, people)) > 1


def _is_korean(part: str) -> bool:
    return bool(re.search(f"[{_HANGUL}]", part))


def _bare(part: str) -> str:
    """The part without what introduces and follows names: 记者, 本报记者, 文, 记者…报道, …氏, …기자."""
    part = part.strip(" \t:：・—-＝=")
    before, after = _affixes()
    part = after.sub("", before.sub("", part))
    return after.sub("", part).strip(" :：")


@cache
def _affixes() -> tuple[re.Pattern[str], re.Pattern[str]]:
    before = "|".join(sorted(load_table("bylines")["asian_before"], key=len, reverse=True))
    after = "|".join(sorted(load_table("bylines")["after"], key=len, reverse=True))
    return re.compile(rf"^(?:{before})(?=[:：\s]|[{_HAN}]{{2}}|$)[:：]?\s*"), re.compile(rf"\s*(?:{after})+$")


@cache
def _labels() -> re.Pattern[str]:
    return re.compile(
        rf"(?:{'|'.join(load_table('bylines')['asian_labels'])})\s*[:：／/丨|]\s*([^\s\u3000:：|｜]{{2,20}})"
    )


def is_signed(text: str) -> bool:
    """Whether a short line in one of these scripts has what introduces or follows a name."""
    if not is_east_asian(text):
        return False
    return bool(_labels().search(text)) or any(_bare(part) != part for part in _PARTS.split(text) if part)


def find_signature(text: str) -> str | None:
    """The reporter who signs at the begin or end of a text: （记者王小明）, 김민수 기자 a@b.example."""
    match = _TAIL.search(text)
    name = _bare(match[1] or match[0]) if match else None
    return name if name and is_east_asian_name(name) else None
