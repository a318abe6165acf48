"""Plots as SVG for a page: in its text colour and its font, with a title and a description for who cannot see them."""

import io
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from pipeline.runtime.extras import load_extra

COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b58900", "#56b4e9", "#7f6df2", "#8c564b", "#8a8a8a")
"""Told apart by those who do not see all colours (after Okabe and Ito), and on white and black alike."""

_INK: Final = "#010203"
"""Stands for the colour of the page's text, which is not known here."""

_STYLE: Final = {
    "svg.fonttype": "none",
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": _INK,
    "grid.alpha": 0.15,
    "font.size": 11,
    "legend.frameon": False,
}


def stacked(labels: Sequence[str], series: Mapping[str, Sequence[int]], title: str, summary: str) -> str:
    """Bars side by side, one for each label, made up of the series."""

    def draw(axes: Any) -> None:  # noqa: ANN401  # of matplotlib, which need not be there
        bottom = [0] * len(labels)
        for colour, (name, values) in zip(COLOURS, series.items(), strict=False):
            there = [index for index, value in enumerate(values) if value]  # empty bars would make most of the page
            axes.bar(
                there,
                [values[index] for index in there],
                bottom=[bottom[index] for index in there],
                label=name,
                color=colour,
                width=0.9,
            )
            bottom = [below + value for below, value in zip(bottom, values, strict=True)]
        axes.set_xlim(-0.5, len(labels) - 0.5)
        _thin(axes, labels)
        axes.yaxis.set_major_locator(load_extra("matplotlib.ticker", "report").MaxNLocator(5, integer=True))
        axes.grid(axis="y")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3, fontsize=10)

    return _svg(draw, title, summary, height=4.2)


def bars(labels: Sequence[str], values: Sequence[int], title: str, summary: str) -> str:
    """Lying bars, the first on top, each with its number."""

    def draw(axes: Any) -> None:  # noqa: ANN401
        places = range(len(labels))
        drawn = axes.barh(places, values, color=COLOURS[0], height=0.75)
        axes.bar_label(drawn, [f"{value:,}" for value in values], padding=3)
        axes.set_yticks(places, labels)
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.xaxis.set_major_locator(load_extra("matplotlib.ticker", "report").MaxNLocator(5, integer=True))
        axes.grid(axis="x")

    return _svg(draw, title, summary, height=0.7 + 0.36 * len(labels))


def lines(labels: Sequence[str], series: Mapping[str, Sequence[float]], title: str, summary: str) -> str:
    """Shares from 0 to 1 over the labels, a line for each of the series."""
    dashes = ("-", "--", "-.", ":")

    def draw(axes: Any) -> None:  # noqa: ANN401
        for index, (name, values) in enumerate(series.items()):
            axes.plot(
                range(len(labels)),
                values,
                dashes[index % len(dashes)],
                label=name,
                color=COLOURS[index % len(COLOURS)],
                marker="o" if len(labels) < 3 else None,  # a point makes no line
            )
        _thin(axes, labels)
        axes.set_ylim(-0.02, 1.02)
        axes.yaxis.set_major_formatter(load_extra("matplotlib.ticker", "report").PercentFormatter(1))
        axes.grid(axis="y")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=4, fontsize=10)

    return _svg(draw, title, summary, height=4.0)


def _thin(axes: Any, labels: Sequence[str]) -> None:  # noqa: ANN401
    """Label every so many of many places; those with an empty label are passed over."""
    named = [index for index, label in enumerate(labels) if label]
    step = max(1, -(-len(named) // 8))
    axes.set_xticks(named[::step], [labels[index] for index in named[::step]])


def _svg(draw: Any, title: str, summary: str, height: float) -> str:  # noqa: ANN401
    matplotlib, figures = load_extra("matplotlib", "report"), load_extra("matplotlib.figure", "report")
    salt = re.sub(r"\W+", "-", title.lower())
    out = io.StringIO()
    # Without a date and with a salt of its own, equal numbers make equal pages, and no two plots share an id.
    with matplotlib.rc_context(_STYLE | {"svg.hashsalt": salt, "svg.id": salt}):
        figure = figures.Figure(figsize=(8, height), layout="constrained")
        draw(figure.subplots())
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _inline(out.getvalue(), salt, title, summary)


def _inline(svg: str, name: str, title: str, summary: str) -> str:
    """The element alone, as wide as its place, in the page's colour and font."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"\s*<style type=\"text/css\">.*?</style>", "", svg, flags=re.DOTALL)
    # matplotlib counts parts from 1 in each plot, and a page may have an id once.
    svg = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    box = re.search(r'viewBox="[^"]+"', svg)
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    head = (
        f"<svg {names} {box.group() if box else ''}"
        f' role="img" aria-labelledby="{name}-title {name}-told">'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-told">{escape(summary)}</desc>'
    )
    svg = head + svg[svg.index(">") + 1 :]
    svg = re.sub(r"font: ([\d.]+px)[^;\"]*", r"font-size: \1", svg)
    return svg.replace(_INK, "currentColor").strip()
