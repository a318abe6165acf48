import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.clean import clean
from pipeline.clean.phrase_patterns import compile_phrase, fold_paragraph
from pipeline.clean.phrases import languages, load_phrases, reason_of, shape_of

SEED = Path(__file__).resolve().parents[3] / "shared" / "seed"

BODY = (
    "The harbour board voted on Tuesday to keep the old crane, nine votes to four, after a debate that ran past midnight.",  # noqa: E501  # a paragraph or a page, as it is
    "“Nobody builds them like this any more,” said Ottilie Brandt, who has operated it since 1988 and will retire in May.",  # noqa: E501  # a paragraph or a page, as it is
    "Repairs are to begin in the autumn and will cost 1.2 million crowns, most of it from a fund for monuments.",
)

MUST_GO = [
    ("en", "teaser", "NOW WATCH: A lighthouse keeper shows how the lamp is turned by hand"),
    ("en", "teaser", "Read more: Why the old crane will not be sold after all"),
    ("en", "newsletter", "Harbour Courier Emails & Alerts"),
    ("en", "newsletter", "Site highlights each day to your inbox."),
    ("en", "newsletter", "Sign up for our weekly newsletter"),
    ("en", "newsletter", "By signing up you agree to our rules of the house and to our privacy notice."),
    ("en", "follow", "Follow Harbour Courier Northland on Facebook, Twitter, LinkedIn, and Instagram."),
    ("en", "copyright", "© 2026 The Harbour Courier. All rights reserved."),
    ("en", "placeholder", "Story continues below advertisement"),
    ("en", "comments", "Join the conversation"),
    ("en", "subscription", "Already a subscriber? Log in"),
    ("en", "subscription", "Subscribe to the Harbour Courier from £1 a week and read all of our reports."),
    ("fr", "subscription", "Abonnez-vous pour lire la suite de nos enquêtes sur le port."),
    ("fr", "app", "Téléchargez l’application du port pour suivre les marées."),
    ("es", "newsletter", "¿Te ha gustado el artículo? Suscríbete a nuestra newsletter del puerto."),
    ("pl", "newsletter", "Podobał Ci się artykuł o dźwigu? Zapisz się na nasz newsletter."),
    ("de", "share", "Teilen Sie diesen Artikel auf Facebook, WhatsApp oder per E-Mail."),
    ("de", "teaser", "Lesen Sie auch: Warum der alte Kran stehen bleibt"),
    ("de", "placeholder", "An dieser Stelle finden Sie einen externen Inhalt von YouTube"),
    ("de", "newsletter", "Jetzt den Newsletter der Hafenpost abonnieren"),
    ("de", "subscription", "Bereits Abonnent? Hier anmelden"),
    ("fr", "teaser", "À lire aussi : La grue du port ne sera pas vendue"),
    ("fr", "newsletter", "Inscrivez-vous à notre newsletter du matin"),
    ("fr", "share", "Partager cet article"),
    ("es", "teaser", "Lee también: La grúa del puerto no se vende"),
    ("es", "newsletter", "Suscríbete a nuestro boletín diario"),
    ("es", "copyright", "Todos los derechos reservados"),
    ("pt", "teaser", "Leia também: O guindaste do porto fica"),
    ("pt", "comments", "Deixe o seu comentário"),
    ("it", "teaser", "Leggi anche: La gru del porto resta"),
    ("it", "copyright", "Riproduzione riservata"),
    ("nl", "teaser", "Lees ook: De oude havenkraan blijft staan"),
    ("nl", "placeholder", "Luister naar dit artikel"),
    ("sv", "teaser", "Läs också: Den gamla kranen blir kvar"),
    ("sv", "caption", "Foto: Hamnbladet"),
    ("no", "teaser", "Les også: Den gamle kranen blir stående"),
    ("nb", "teaser", "Les mer om kranen"),
    ("da", "teaser", "Læs også: Den gamle kran bliver stående"),
    ("fi", "teaser", "Lue myös: Vanha nosturi säilyy"),
    ("pl", "teaser", "Czytaj także: Stary dźwig zostaje"),
    ("pl", "copyright", "Wszelkie prawa zastrzeżone"),
    ("cs", "teaser", "Čtěte také: Starý jeřáb zůstane"),
    ("sk", "teaser", "Čítajte aj: Starý žeriav zostane"),
    ("hu", "newsletter", "Iratkozzon fel hírlevelünkre"),
    ("ro", "teaser", "Citește și: Macaraua veche rămâne"),
    ("tr", "teaser", "Haberin devamı için tıklayın"),
    ("ru", "teaser", "Читайте также: Старый кран останется"),
    ("uk", "teaser", "Читайте також: Старий кран залишиться"),
    ("bg", "teaser", "Прочетете още: Старият кран остава"),
    ("el", "teaser", "Διαβάστε επίσης: Ο παλιός γερανός μένει"),
    ("id", "teaser", "Baca juga: Derek tua tetap berdiri"),
    ("vi", "teaser", "Xem thêm: Cần cẩu cũ được giữ lại"),
    ("lt", "teaser", "Taip pat skaitykite: Senasis kranas lieka"),
    ("hr", "teaser", "Pročitajte i: Stara dizalica ostaje"),
    ("ja", "teaser", "関連記事：古いクレーンは残る"),
    ("ko", "copyright", "무단 전재 및 재배포 금지"),
    ("zh", "teaser", "相关阅读：老起重机将被保留"),
    ("ar", "teaser", "اقرأ أيضا: الرافعة القديمة باقية"),
    ("fa", "teaser", "بیشتر بخوانید: جرثقیل قدیمی می‌ماند"),
    ("he", "copyright", "כל הזכויות שמורות"),
    ("hi", "teaser", "यह भी पढ़ें: पुरानी क्रेन रहेगी"),
    ("en", "comments", "Comments (12)"),
    ("en", "comments", "Show 14 comments"),
    ("en", "teaser", "READ MORE | The crane may stay"),
    ("en", "teaser", "[Watch the video]"),
    ("en", "teaser", "Story continues after the break"),
    ("en", "teaser", "The post The crane may stay appeared first on Harbour Notes."),
    ("en", "teaser", "Getting your Trinity Audio player ready..."),
    ("en", "affiliate", "This post contains affiliate links."),
]

MUST_STAY = [
    ("en", "The board will now watch how the crane behaves in the first storms before it decides on the second one."),
    ("en", "Her newsletter, which she sends to 400 neighbours, was the first to report the plan."),
    ("en", "“Follow us,” the guide called, and on Facebook and Instagram thousands did within a day."),
    ("en", "Readers who follow the company on Twitter learned of the sale before its own staff did, the union said."),
    ("en", "He signed up for the coast guard in 1988, when subscriptions to the paper still paid for two reporters."),
    ("en", "Copyright law was written for printers, she said, and never for cranes."),
    ("de", "Wer die Zeitung liest, weiß auch, dass der Kran seit 1911 an dieser Stelle steht und nie gestanden hat."),
    ("de", "Der Newsletter des Vereins hat 400 Abonnenten, und jeder von ihnen kam zur Sitzung."),
    ("fr", "Elle a lu aussi le rapport, puis elle l'a partagé avec le conseil du port avant le vote."),
    ("es", "También leyó el informe ante la junta, que lo compartió con los vecinos antes de votar."),
    ("pl", "Radni przeczytali także raport, zanim zagłosowali nad losem dźwigu w porcie."),
    ("ru", "Он прочитал также отчёт совета порта и рассказал о нём соседям до голосования."),
    ("ja", "古いクレーンは残ることになった、と港の理事会は火曜日に発表した。"),
    ("en", "The owner of the crane declined to comment."),
    ("en", "Asked about the second storm, the board would make no further comments."),
    ("en", "Recommended: a coat and good shoes, since the path along the quay is wet all year."),
    ("en", "Sign up for the regatta closes on Friday at noon, the club said."),
    ("en", "Video: none was taken of the fall, the police say, although the quay has four cameras."),
    ("en", "The harbour master, who keeps a record of every storm, said at noon that he would not write about it."),
    ("en", "Listen: the old motor can still be heard on calm nights, and nobody on the quay minds."),
    ("de", "Hinweis: Die Fähre fährt am Sonntag nur bis zur alten Mole und wartet dort nicht."),
    ("de", "Mehr Geld bekommt der Verein erst, wenn der Rat im Mai zustimmt und der Hafen mitzahlt."),
    ("fr", "Photo, vidéo et plans sont conservés au port depuis que la grue a été dressée."),
]


@pytest.mark.parametrize(("language", "reason", "text"), MUST_GO, ids=[f"{c[0]} {c[2][:30]}" for c in MUST_GO])
def test_boilerplate_goes_with_its_reason(language, reason, text):
    cleaned = clean([*BODY, text], language=language)
    assert [(gone.text, gone.reason) for gone in cleaned.removed] == [(text, reason)]
    assert cleaned.kept == BODY


@pytest.mark.parametrize(("language", "text"), MUST_STAY, ids=[f"{c[0]} {c[1][:30]}" for c in MUST_STAY])
def test_sentences_that_merely_mention_it_stay(language, text):
    for paragraphs in ([*BODY, text], [text, *BODY]):
        assert clean(paragraphs, language=language).kept == tuple(paragraphs)
        assert clean(paragraphs).kept == tuple(paragraphs)


def test_more_than_twenty_languages_have_phrases():
    assert len(languages()) >= 25
    assert {phrase.language for phrase in load_phrases()} <= set(languages())


def test_the_headline_does_not_stand_above_its_own_text():
    cleaned = clean(["Old crane stays", *BODY, "Old crane stays"], title="OLD CRANE STAYS")
    assert cleaned.removed[0].reason == "title"
    assert cleaned.kept == (*BODY, "Old crane stays")


def test_a_paragraph_that_stands_twice_is_kept_once_and_a_refrain_as_often_as_it_stands():
    cleaned = clean([BODY[0], "“No.”", BODY[1], "“No.”", BODY[0]])
    assert cleaned.kept == (BODY[0], "“No.”", BODY[1], "“No.”")
    assert [gone.reason for gone in cleaned.removed] == ["duplicate"]


@pytest.mark.parametrize(
    ("language", "reason", "text"),
    [
        ("en", "correction", "Correction: The ferry has two decks, not three."),
        ("en", "correction", "This story has been corrected to give the right year of the flood."),
        ("en", "correction", "A previous version of this report misnamed the captain."),
        ("en", "correction", "Retraction: The Courier withdraws its report on the lighthouse."),
        ("en", "correction", "Editor's note: This article was updated to correct the name of the quay."),
        ("en", "note", "Editor's note: The writer owns a boat in this harbour."),
        ("en", "note", "This article was edited by Ida Holm and Per Dahl."),
        ("en", "note", "Please check back for updates."),
        ("de", "correction", "Berichtigung: Die Fähre hat zwei Decks und nicht drei."),
        ("de", "correction", "In einer früheren Version hieß es, die Fähre habe drei Decks."),
        ("de", "note", "Dieser Text ist eine Übersetzung aus dem Dänischen."),
        ("es", "correction", "Fe de errores: el faro se construyó en 1910."),
        ("es", "note", "Nota del editor: la autora vive en el puerto."),
        ("fr", "note", "Note de la rédaction : l'auteur possède un bateau."),
        ("pt", "note", "Nota: o autor vive no porto."),
    ],
)
def test_notices_of_corrections_are_told_from_other_notes(language, reason, text):
    assert [gone.reason for gone in clean([*BODY, text], language=language).removed] == [reason]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("Ida Holm is a reporter at the Courier.", "biography", id="who wrote it"),
        pytest.param("(Reuters)", "agency", id="agency in brackets"),
        pytest.param("Ida Holm, ida.holm@courier.example", "contact", id="address"),
    ],
)
def test_notes_on_the_author_go_only_from_the_end(text, reason):
    assert [gone.reason for gone in clean([*BODY, text], language="en").removed] == [reason]
    assert clean([text, *BODY], language="en").removed == ()


def test_nothing_but_boilerplate_is_left_as_it_is():
    lines = ("Read more: Old crane stays", "Sign up for our newsletter")
    assert clean(lines).kept == lines


def test_a_label_goes_with_the_list_that_it_announced():
    cleaned = clean([*BODY, "From our archive:", "Read more: Old crane stays"], language="en")
    assert cleaned.kept == BODY


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param('{"@context": "https://schema.org", "@type": "NewsArticle"}', "json", id="JSON-LD"),
        pytest.param('[{"type": "ad", "slot": 3}]', "json", id="configuration"),
        pytest.param("window.dataLayer = window.dataLayer || [];", "json", id="script"),
        pytest.param("Copyright 2026 Harbour Courier", "copyright", id="copyright without a sign"),
        pytest.param("Facebook Twitter WhatsApp", "share", id="names of networks"),
        pytest.param("* * *", "placeholder", id="ornament"),
        pytest.param("{", None, id="a bracket may be code"),
        pytest.param("YouTube", None, id="one network may be a heading"),
        pytest.param("The set {a, b} has “two” members.", None, id="braces in prose"),
    ],
)
def test_shapes_are_known_in_any_language(text, reason):
    assert shape_of(text) == reason


def test_a_phrase_covers_the_whole_paragraph():
    phrase = compile_phrase("(read|see) * in {social}", "teaser", "en", {"social": ["x", "threads"]})
    assert re.fullmatch(phrase.pattern, "read about the crane in threads")
    assert re.fullmatch(phrase.pattern, "see in x")
    assert not re.fullmatch(phrase.pattern, "please read about the crane in threads")
    assert not re.fullmatch(phrase.pattern, "reading about the crane in threads")


@pytest.mark.parametrize("line", ["*", "(*)", "read more:", "(a|b"], ids=["star", "stars", "colon", "unbalanced"])
def test_a_phrase_that_could_not_work_is_refused(line):
    with pytest.raises(ValueError):
        compile_phrase(line, "teaser", "en", {})


def test_every_phrase_is_a_regular_expression():
    for phrase in load_phrases():
        assert re.compile(phrase.pattern), phrase.source


def test_every_phrase_is_found_by_the_words_that_it_is_looked_up_by():
    for phrase in load_phrases():
        assert all(len(key) <= 4 and key == key.casefold() for key in phrase.keys)


@pytest.mark.skipif(not SEED.is_dir(), reason="the seed article is not beside this checkout")
def test_the_seed_article_loses_its_last_four_paragraphs_and_nothing_else():
    paragraphs = [
        line.strip() for file in SEED.glob("*.txt") for line in file.read_text("utf-8").split("\n") if line.strip()
    ]
    cleaned = clean(paragraphs[1:], title=paragraphs[0], language="en")
    assert [gone.text for gone in cleaned.removed] == paragraphs[-4:]
    assert list(cleaned.kept) == paragraphs[1:-4]


TEXTS = st.lists(st.one_of(st.text(max_size=80), st.sampled_from([*BODY, *(case[2] for case in MUST_GO)])), max_size=8)


@given(
    TEXTS,
    st.one_of(st.none(), st.text(max_size=10), st.sampled_from(BODY)),
    st.sampled_from([None, "en", "de", "ja", "xx"]),
)
@example(["\ud800", "(", "\x00"], "\ud800", None)
@example(["(Reuters)", "Sources:"], None, "en")
def test_cleaning_survives_anything_loses_nothing_and_twice_is_once(paragraphs, title, language):
    cleaned = clean(paragraphs, title=title, language=language)
    assert len(cleaned.kept) + len(cleaned.removed) == sum(bool(text.strip()) for text in paragraphs)
    assert clean(cleaned.kept, title=title, language=language).kept == cleaned.kept


@given(st.text(max_size=120))
@example("(((")
@example("((a))")
def test_folding_for_phrases_survives_anything(text):
    assert isinstance(fold_paragraph(text), str)
    assert reason_of(text) is None or isinstance(reason_of(text), str)


def test_the_headline_goes_with_the_few_words_above_it():
    text = ["TOWN/HARBOUR", "Pier to be rebuilt", "The board has decided to rebuild the pier, it said on Friday."]
    cleaned = clean(text, title="Pier to be rebuilt", language="en")
    assert cleaned.kept == (text[2],)
    assert [removed.reason for removed in cleaned.removed] == ["dateline", "title"]


def test_a_sentence_above_the_headline_stays_and_so_does_the_headline():
    text = ["The pier is gone.", "Pier to be rebuilt", "The board has decided to rebuild the pier, it said on Friday."]
    assert clean(text, title="Pier to be rebuilt", language="en").kept == tuple(text)
