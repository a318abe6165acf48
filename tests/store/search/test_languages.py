"""Words of every language are found, by the same searches on both databases: 66 searches in 17 languages."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from pipeline.store.connection.engine import reading
from pipeline.store.search import search_articles
from tests.support.archive import NOW, Archive

ARTICLES = {
    "en": ("Naïve plan for the harbour", "The U.S. envoy spoke on naive co-operation. The résumé arrived at the café."),
    "de": (
        "Straße gesperrt",
        "Die Donau\u00addampf\u00adschiff\u00adfahrt ruht: Die Straße am Hafen wird breiter. Übermut tut selten gut.",
    ),
    "ch": ("Strasse offen", "In der Schweiz schreibt man Strasse mit zwei s, und die Fähre fährt."),
    "fr": ("Au cœur de la ville", "L'œuvre du maître d'école n'est pas achevée ; le cœur de Noël bat encore."),
    "fr2": ("Le coeur", "On ecrit coeur sans ligature sur de vieilles machines."),
    "vi": ("Cảng Đà Nẵng", "Ủy ban cảng Đà Nẵng đã thông qua kế hoạch mở rộng bến tàu."),
    "vi2": ("Da Nang port", "Cang Da Nang mo rong ben tau theo ke hoach moi."),
    "ru": ("Ёлка на площади", "Её привезли в порт ещё в четверг, и всё готово к празднику."),
    "ru2": ("Елка у моря", "Ее еще не зажгли, но все уже готово."),
    "uk": ("П’ять кораблів", "П'ять кораблів зайшли в порт, і місто їх чекало."),
    "ar": ("مُحَمَّدٌ في المَرْفَأ", "قَرَّرَ مجلس الميناء توسعة الأرصفة في الإسكندرية، وقالت فاطمة إن المدرسة مفتوحة."),
    "ar2": ("محمد في المرفا", "قرر مجلس الميناء توسيع الارصفه في الاسكندريه، وكانت مدرسه قديمة على المستشفى."),
    "fa": ("بندر بزرگ", "کشتی‌های ایرانی در سال ۱۴۰۵ به بندر می‌رسند."),
    "he": ("שָׁלוֹם בנמל", "ועדת הנמל אישרה את התוכנית ביום חמישי."),
    "tr": ("IŞIK LİMANDA", "Limanda ışık yandı, İstanbul'dan gelen gemi yanaştı."),
    "el": ("Ο ΔΡΟΜΟΣ ΤΗΣ ΑΘΗΝΑΣ", "Οι δρόμοι της Αθήνας είναι γεμάτοι, και ο λιμενικός φύλακας περιμένει."),
    "zh": ("港务局同意拓宽东部船闸", "塔恩比港务局星期二同意拓宽船闸，此前与渡轮公司谈判了两年。2026年5月开工。"),
    "ja": (
        "東京都知事が会見",
        "東京都の知事は港の桟橋を閉鎖すると述べた。ドナルド・スミス氏とＮＨＫも取材した。ﾎﾞｰﾄも出た。",
    ),
    "ko": ("항구 위원회 결정", "항구위원회는 금요일에 부두를 넓히기로 했다. 시민들은 항구를 반겼다."),
    "th": ("ท่าเรือขยายแล้ว", "คณะกรรมการท่าเรือกรุงเทพอนุมัติแผนขยายท่าเทียบเรือเมื่อวันศุกร์"),
    "hi": ("बंदरगाह की योजना", "समिति ने शुक्रवार को हिन्दी में बंदरगाह की नई योजना को मंज़ूरी दी।"),
    "pl": ("Łódź w porcie", "Żółta łódź zacumowała, a świąteczny targ trwa."),
    "da": ("Ærø færgen", "Færgen til Ærø og Tårnby sejler igen, siger Søren Ågård."),
}

SEARCHES = [
    # soft hyphens, ligatures, letters for one another
    ("Donaudampfschifffahrt", {"de"}),
    ("donaudampf*", {"de"}),
    ("Straße", {"de", "ch"}),
    ("strasse", {"de", "ch"}),
    ("STRASSE", {"de", "ch"}),
    ('"straße am hafen"', {"de"}),
    ("strasse -schweiz", {"de"}),
    ("ubermut", {"de"}),
    ("cœur", {"fr", "fr2"}),
    ("COEUR", {"fr", "fr2"}),
    ("oeuvre ecole", {"fr"}),
    ("title:coeur -ligature", {"fr"}),
    ("noel", {"fr"}),
    ("maître NEAR/1 école", {"fr"}),
    ("naive", {"en"}),
    ("resume cafe", {"en"}),
    ('"US envoy" OR "U.S. envoy"', {"en"}),
    ("cooperation", set()),
    ("co-operation", {"en"}),
    # Vietnamese, Polish, Danish
    ("Đà Nẵng", {"vi", "vi2"}),
    ("da nang", {"vi", "vi2"}),
    ('"cang da nang" -moi', {"vi"}),
    ("łódź", {"pl"}),
    ("lodz zolta", {"pl"}),
    ("aero", {"da"}),
    ("faergen soren", {"da"}),
    # Cyrillic
    ("ёлка", {"ru", "ru2"}),
    ("елка", {"ru", "ru2"}),
    ("ЕЩЁ -четверг", {"ru2"}),
    ("title:елка порт", {"ru"}),
    ("п'ять", {"uk"}),
    ("п\u02bcять кораблів", {"uk"}),
    # Arabic, Persian, Hebrew
    ("محمد", {"ar", "ar2"}),
    ("مُحَمَّد", {"ar", "ar2"}),
    ("الإسكندرية", {"ar", "ar2"}),
    ("الاسكندريه", {"ar", "ar2"}),
    ('"مجلس الميناء" المستشفى', {"ar2"}),
    ("المرفأ -توسيع", {"ar"}),
    ("كشتی*", {"fa"}),
    ("1405 بندر", {"fa"}),
    ("می\u200cرسند", {"fa"}),
    ("שלום", {"he"}),
    ("הנמל NEAR/2 התוכנית", {"he"}),
    # Turkish, Greek
    ("ışık", {"tr"}),
    ("IŞIK", {"tr"}),
    ("isik istanbul", {"tr"}),
    ("αθηνας δρομοσ", {"el"}),
    ("ΦΥΛΑΚΑΣ", {"el"}),
    # Chinese, Japanese, Korean, Thai
    ("渡轮", {"zh"}),
    ("港务局", {"zh"}),
    ("局务港", set()),
    ("船闸 -渡轮", set()),
    ("title:船闸", {"zh"}),
    ('"2026年5月"', {"zh"}),
    ("港", {"zh", "ja"}),
    ("局", {"zh"}),
    ("東京", {"ja"}),
    ("京都", {"ja"}),  # pairs do not know words: as 東京都 has it
    ("知事 桟橋", {"ja"}),
    ("NHK", {"ja"}),
    ("ＮＨＫも", {"ja"}),
    ("スミス NEAR/12 取材", {"ja"}),
    ("ボート", {"ja"}),
    ("항구", {"ko"}),
    ("위원회", {"ko"}),
    ('"항구 위원회"', {"ko"}),
    ("부두 -시민", set()),
    ("ท่าเรือ", {"th"}),
    ("กรุงเทพ ศุกร์", {"th"}),
    ("ภูเก็ต", set()),
    # Devanagari
    ("हिन्दी", {"hi"}),
    ("बंदर*", {"hi"}),
    ('"नई योजना"', {"hi"}),
    ("(港务局 OR ท่าเรือ OR 부두) -lang:ko", {"zh", "th"}),
    ("lang:ar OR lang:fa", {"ar", "ar2", "fa"}),
]


@pytest.fixture
def archive(engine):
    archive = Archive(engine)
    for name, (title, text) in ARTICLES.items():
        site = f"{name}.example"
        archive.store(
            f"https://{site}/1", title=title, text=text, language=name[:2], site=site, published_at=NOW - timedelta(1)
        )
    return archive


def hits_of(archive, query):
    with reading(archive.engine) as connection:
        return search_articles(connection, query).hits


def test_words_of_every_language_are_found(archive):
    assert len(SEARCHES) >= 60
    found = [(query, {hit.site.removesuffix(".example") for hit in hits_of(archive, query)}) for query, _ in SEARCHES]
    assert [pair for pair in zip(found, SEARCHES, strict=True) if pair[0] != pair[1]] == []


MARKED = {
    "strasse": {"Straße", "Strasse"},
    "donaudampfschifffahrt": {"Donau\u00addampf\u00adschiff\u00adfahrt"},
    "COEUR": {"cœur", "coeur"},
    "港务局": {"港务局"},
    "위원회": {"위원회"},
    "محمد": {"مُحَمَّدٌ", "محمد"},
    "isik": {"IŞIK", "ışık"},
    '"straße am"': {"Straße am"},
}


@pytest.mark.parametrize("query", MARKED)
def test_what_matches_is_marked_as_it_is_written(archive, query):
    spans = [span for hit in hits_of(archive, query) for span in (*hit.title, *hit.snippet)]
    assert {span.text for span in spans if span.is_match} >= MARKED[query]
    assert {span.text.casefold() for span in spans if span.is_match} == {text.casefold() for text in MARKED[query]}


NOT_THERE = re.compile(r"[()]|NEAR")
"""Of the language of searches, what the function of PostgreSQL does not read."""


@pytest.mark.postgres
def test_the_function_of_postgresql_finds_the_same(archive):
    if archive.engine.dialect.name != "postgresql":
        pytest.skip("a function of PostgreSQL")
    asked = [(query, expected) for query, expected in SEARCHES if not NOT_THERE.search(query)]
    assert len(asked) > 60
    statement = sa.text("SELECT site FROM news_search(:query) JOIN v_article USING (article_id) WHERE rank >= 0")
    with reading(archive.engine) as connection:
        found = [
            (query, {site.removesuffix(".example") for site in connection.scalars(statement, {"query": query})})
            for query, _ in asked
        ]
    assert found == asked


@pytest.mark.postgres
@pytest.mark.parametrize("query", ["-harbour", "(a b)", "a NEAR b", "tag:a", "...", "*x"])
def test_the_function_of_postgresql_refuses_what_it_does_not_read(archive, query):
    if archive.engine.dialect.name != "postgresql":
        pytest.skip("a function of PostgreSQL")
    statement = sa.text("SELECT news_search_query(:query)").bindparams(query=query)
    with reading(archive.engine) as connection, pytest.raises(DBAPIError, match=r"understand|only says|no letter"):
        connection.scalar(statement)
