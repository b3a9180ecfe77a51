"""Two kinds of pictures, written as SVG by hand: the same figures always give the same file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

OWN: Final = "#1f6feb"
OTHER: Final = "#9aa4b2"
_INK: Final = "#1f2328"
_PALE: Final = "#d0d7de"
_LINES: Final = ("#cf222e", "#9a6700", "#1a7f37", "#8250df", "#bf3989", "#57606a", "#0a7ea4")
_WIDTH: Final = 860
_NAMES: Final = 240
_RIGHT: Final = 90
_TOP: Final = 56
_BAR: Final = 18
_GAP: Final = 10
_APART: Final = 16
_TEXT: Final = 13
_PLOT: Final = 320
_LABEL: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar.

    Attributes:
        name: What it is about.
        value: How long it is.
        shown: What is written at its end.
        own: Whether it is Everstep's.
    """

    name: str
    value: float
    shown: str
    own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line over the same places as every other.

    Attributes:
        name: What it is about.
        values: At each place.
        own: Whether it is Everstep's.
    """

    name: str
    values: tuple[float, ...]
    own: bool


def bars(title: str, below: str, groups: Sequence[Sequence[Bar]]) -> str:
    """Return bars under one another, longest as long as there is room, groups set apart."""
    longest = max(bar.value for each in groups for bar in each)
    room = _WIDTH - _NAMES - _RIGHT
    parts: list[str] = []
    placed = [(place, bar) for place, each in enumerate(groups) for bar in each]
    for number, (group, bar) in enumerate(placed):
        y = _TOP + number * (_BAR + _GAP) + group * _APART
        width = max(1.0, room * bar.value / longest)
        middle = y + _BAR - 4
        parts += [
            _text(_NAMES - 10, middle, bar.name, anchor="end", bold=bar.own),
            (
                f'<rect x="{_NAMES}" y="{y}" width="{width:.1f}" height="{_BAR}" '
                f'fill="{OWN if bar.own else OTHER}"/>'
            ),
            _text(_NAMES + width + 6, middle, bar.shown, bold=bar.own),
        ]
    height = _TOP + len(placed) * (_BAR + _GAP) + len(groups) * _APART
    return _picture(title, below, height, parts)


def lines(title: str, below: str, places: Sequence[str], each: Sequence[Line]) -> str:
    """Return lines over a logarithmic scale, named at their ends, without one name on another."""
    values = [value for line in each for value in line.values]
    low, high = math.floor(_log(min(values)) * 2) / 2, math.ceil(_log(max(values)) * 2) / 2
    left, right = 70, _WIDTH - _NAMES

    def x(place: int) -> float:
        return left + (right - left) * place / (len(places) - 1)

    def y(value: float) -> float:
        return _TOP + _PLOT - _PLOT * (_log(value) - low) / (high - low)

    parts = [part for tick in _ticks(low, high) for part in _scale(tick, y(tick), left, right)]
    parts += [
        _text(x(n), _TOP + _PLOT + 22, name, anchor="middle") for n, name in enumerate(places)
    ]
    ends = _apart([(y(line.values[-1]), number) for number, line in enumerate(each)])
    others = 0
    for number, line in enumerate(each):
        colour = OWN if line.own else _LINES[others % len(_LINES)]
        others += not line.own
        points = " ".join(f"{x(n):.1f},{y(value):.1f}" for n, value in enumerate(line.values))
        end = x(len(places) - 1), y(line.values[-1])
        parts += [
            (
                f'<polyline points="{points}" fill="none" stroke="{colour}" '
                f'stroke-width="{3 if line.own else 2}"/>'
            ),
            (
                f'<polyline points="{end[0]:.1f},{end[1]:.1f} {right + 14},{ends[number]:.1f}" '
                f'fill="none" stroke="{_PALE}"/>'
            ),
            _text(right + 18, ends[number] + 4, line.name, bold=line.own, colour=colour),
        ]
    height = _TOP + max(_PLOT, *(end - _TOP for end in ends.values())) + 40
    return _picture(title, below, int(height), parts)


def _apart(wanted: Iterable[tuple[float, int]]) -> dict[int, float]:
    """Return where names stand: as near as can be to where they should, none on another."""
    found: dict[int, float] = {}
    last = -math.inf
    for at, number in sorted(wanted):
        last = max(at, last + _LABEL)
        found[number] = last
    return found


def _ticks(low: float, high: float) -> list[float]:
    powers = range(math.floor(low), math.ceil(high) + 1)
    every = (factor * 10.0**power for power in powers for factor in (1, 2, 5))
    return [value for value in every if low - 1e-9 <= _log(value) <= high + 1e-9]


def _scale(value: float, y: float, left: float, right: float) -> list[str]:
    line = f'<line x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="{_PALE}"/>'
    return [line, _text(left - 8, y + 4, f"{value:g}", anchor="end")]


def _log(value: float) -> float:
    return math.log10(max(value, 1e-6))


def _picture(title: str, below: str, height: int, parts: Iterable[str]) -> str:
    inner = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" role="img" aria-label="{escape(title)}" '
        f'font-family="Helvetica, Arial, sans-serif" font-size="{_TEXT}">\n'
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>\n'
        f"{_text(16, 22, title, bold=True)}\n{_text(16, 41, below, colour='#57606a')}\n"
        f"{inner}\n</svg>\n"
    )


def _text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    bold: bool = False,
    colour: str = _INK,
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"{weight}>'
        f"{escape(text)}</text>"
    )
