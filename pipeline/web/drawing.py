"""Small plots as SVG, drawn by attributes alone: a page's policy forbids style in its elements."""

from collections.abc import Sequence

from markupsafe import Markup


def draw_bars(values: Sequence[float], label: str, *, height: int = 40, width: int = 4) -> Markup:
    """Bars side by side in the colour of the text around them; ``label`` says in words what they show."""
    highest = max(values, default=0) or 1
    bars = Markup("").join(
        Markup('<rect x="{}" y="{:.1f}" width="{}" height="{:.1f}"/>').format(
            index * (width + 1), height - value / highest * height, width, value / highest * height
        )
        for index, value in enumerate(values)
        if value
    )
    return Markup(
        '<svg class="bars" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}"'
        ' preserveAspectRatio="none">{}<path d="M0 {}H{}"/></svg>'
    ).format(label, *(n := (max(len(values), 1) * (width + 1), height)), *n, bars, height, n[0])
