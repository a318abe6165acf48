"""Small plots as SVG, drawn by attributes alone: a page's policy forbids style in its elements."""

from collections.abc import Sequence

from markupsafe import Markup


def draw_bars(values: Sequence[float], label: str, *, height: int = 40, width: int = 4) -> Markup:
    """Bars side by side in the colour of the text around them; ``label`` says in words what they show."""
    highest = max(values, default=0) or 1
    # By f-strings, of numbers alone: a list has hundreds of bars, and Markup.format() takes ten times as long.
    bars = "".join(
        f'<rect x="{index * (width + 1)}" y="{height - value / highest * height:.1f}" width="{width}"'
        f' height="{value / highest * height:.1f}"/>'
        for index, value in enumerate(values)
        if value
    )
    return Markup(
        '<svg class="bars" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}"'
        ' preserveAspectRatio="none">{}<path d="M0 {}H{}"/></svg>'
    ).format(label, *(n := (max(len(values), 1) * (width + 1), height)), *n, Markup(bars), height, n[0])  # noqa: S704
