"""Character references of HTML in strangers' text, resolved."""

import html
import re

_ENDLESS = re.compile(r"&#[0-9]{9,};?")


def unescape_references(text: str) -> str:
    """The text with its character references resolved, as `html.unescape` does it; never raises.

    That refuses decimal references of more digits than Python makes numbers of (4,300): they mean no character, as
    all beyond U+10FFFF, and become U+FFFD as well.

    >>> unescape_references("Fish &amp; chips &#8211; caf&eacute;"), unescape_references("a&#" + 5000 * "1" + ";b")
    ('Fish & chips – café', 'a�b')
    """
    try:
        return html.unescape(text)
    except ValueError:
        return html.unescape(_ENDLESS.sub("\N{REPLACEMENT CHARACTER}", text))
