"""The growth as a plot: time against size, both by powers of ten, a panel for each thing that grows."""

import math

from growth import Series

WIDTH, HEIGHT, MARGIN, LEGEND = 380, 300, 46, 16
COLOURS = ["#1b6ca8", "#d1495b", "#2e8b57", "#8f5aa8", "#c77700", "#5c6670"]


def svg(series: list[Series]) -> str:
    axes = list(dict.fromkeys(one.axis for one in series))
    panels = [panel([one for one in series if one.axis == axis], WIDTH * at) for at, axis in enumerate(axes)]
    most = max(sum(one.axis == axis for one in series) for axis in axes)
    height = HEIGHT + LEGEND * (most + 1)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH * len(axes)} {height}" '
            f'font-family="sans-serif" font-size="11">\n<rect width="100%" height="100%" fill="white"/>\n'
            + "".join(panels) + "</svg>\n")


def panel(series: list[Series], left: float) -> str:
    times = [value for one in series for value in one.values("wall")]
    low, high = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))
    first, last = math.log10(series[0].sizes[0]), math.log10(series[0].sizes[-1])
    high, last = max(high, low + 1), max(last, first + 1)

    def x(size: float) -> float:
        return left + MARGIN + (math.log10(size) - first) / (last - first) * (WIDTH - MARGIN - 20)

    def y(seconds: float) -> float:
        return HEIGHT - MARGIN - (math.log10(seconds) - low) / (high - low) * (HEIGHT - MARGIN - 20)

    parts = []
    for power in range(low, high + 1):
        parts.append(line(x(10 ** first), y(10.0 ** power), x(10 ** last), y(10.0 ** power), "#dddddd"))
        parts.append(text(x(10 ** first) - 5, y(10.0 ** power) + 4, f"{10.0 ** power:g} s", "end"))
    for size in series[0].sizes:
        parts.append(line(x(size), y(10.0 ** low), x(size), y(10.0 ** high), "#dddddd"))
        parts.append(text(x(size), HEIGHT - MARGIN + 15, f"{size:,}", "middle"))
    parts.append(text(x(10 ** ((first + last) / 2)), HEIGHT - MARGIN + 31, series[0].axis, "middle"))
    for position, one in enumerate(series):
        colour = COLOURS[position % len(COLOURS)]
        points = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in zip(one.sizes, one.values("wall")))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>\n')
        at = HEIGHT + LEGEND * position
        parts.append(line(left + MARGIN, at, left + MARGIN + 18, at, colour, 2))
        parts.append(text(left + MARGIN + 24, at + 4, one.title, "start"))
    return "".join(parts)


def line(x1: float, y1: float, x2: float, y2: float, colour: str, width: int = 1) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>\n'


def text(x: float, y: float, content: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{content}</text>\n'
