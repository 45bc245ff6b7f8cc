"""SVG charts: the cost and parameters of each block, and the memory of tensors while each layer runs."""

import re
from collections.abc import Sequence
from html import escape
from itertools import groupby

from costcalc.analysis.report.report import Line

WIDE, ROW, LEFT, BAR = 560, 34, 150, 290  # pixels: width of the chart, height of a row, width of names, longest bar
MOST = 24  # rows; more blocks are merged
STYLE = (
    "<style>text{font:12px system-ui,sans-serif;fill:#1f2328}.f{font-variant-numeric:tabular-nums}"
    ".a{fill:#3949ab}.b{fill:#e07b00}"
    ".l{stroke:#3949ab;stroke-width:1.5;fill:#3949ab33}.x{stroke:#8c959f;stroke-width:1}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.a{fill:#8c9eff}.b{fill:#ffb74d}"
    ".l{stroke:#8c9eff;fill:#8c9eff33}}</style>"
)


def blocks(lines: Sequence[Line], title: str) -> str:
    """Two bars for each block: its share of the mult-adds and of the parameters."""
    shown = [one for one in merged(lines) if one[1] or one[2]]
    whole = [max(sum(one[at] for one in shown), 1) for at in (1, 2)]
    longest = max((one[at] / whole[at - 1] for one in shown for at in (1, 2)), default=1) or 1
    parts = [
        f'<rect class="a" x="{LEFT}" y="6" width="12" height="12"/><text x="{LEFT + 18}" y="16">mult-adds</text>',
        f'<rect class="b" x="{LEFT + 100}" y="6" width="12" height="12"/><text x="{LEFT + 118}" y="16">params</text>',
    ]
    for row, (name, *amounts) in enumerate(shown):
        top = 28 + row * ROW
        parts.append(f'<text x="{LEFT - 8}" y="{top + 18}" text-anchor="end">{escape(_short(name))}</text>')
        for at, amount in enumerate(amounts):
            share, y = amount / whole[at], top + 14 * at
            width = BAR * share / longest
            parts.append(f'<rect class="{"ab"[at]}" x="{LEFT}" y="{y}" width="{width:.1f}" height="12"/>')
            parts.append(f'<text class="f" x="{LEFT + width + 6:.1f}" y="{y + 10.5}">{amount:,}</text>')
    return _svg(parts, 28 + len(shown) * ROW, title)


def merged(lines: Sequence[Line]) -> list[tuple[str, int, int]]:
    """(name, cost, params) of blocks in order; of many, adjacent ones that differ only in a number are merged."""
    rows = [(one.name, one.cost, one.params) for one in lines]
    if len(rows) > MOST:
        rows = [_sum(stem, [*group]) for stem, group in groupby(rows, lambda row: re.sub(r"_?\d+$", "", row[0]))]
    if len(rows) > MOST:
        kept = sorted(rows, key=lambda row: -max(row[1], row[2]))[: MOST - 1]
        rest = [row for row in rows if row not in kept]
        rows = [row for row in rows if row in kept] + [_sum(f"{len(rest)} others", rest, alone=False)]
    return rows


def _sum(stem: str, rows: Sequence[tuple[str, int, int]], alone: bool = True) -> tuple[str, int, int]:
    name = rows[0][0] if alone and len(rows) == 1 else f"{stem} ({len(rows)})" if alone else stem
    return name, sum(row[1] for row in rows), sum(row[2] for row in rows)


def _short(name: str) -> str:
    return name if len(name) <= 21 else name[:20] + "…"


HIGH, TOP = 150, 26  # pixels: height of the curve, and space above it


def memory(amounts: Sequence[int], names: Sequence[str], title: str) -> str:
    """A curve of the live bytes while each layer runs, in order; the peak is labelled."""
    peak = max(amounts, default=0) or 1
    step = (WIDE - 20) / max(len(amounts), 1)
    places = [f"M10 {TOP + HIGH}"]
    for at, amount in enumerate(amounts):
        y = TOP + HIGH * (1 - amount / peak)
        places.append(f"L{10 + at * step:.1f} {y:.1f}L{10 + (at + 1) * step:.1f} {y:.1f}")
    places.append(f"L{WIDE - 10} {TOP + HIGH}Z")
    top = amounts.index(peak) if peak in amounts else 0
    x = 10 + (top + 0.5) * step
    anchor = "start" if x < WIDE / 3 else "end" if x > 2 * WIDE / 3 else "middle"
    parts = [
        f'<path class="l" d="{"".join(places)}"/><path class="x" d="M10 {TOP + HIGH}H{WIDE - 10}"/>',
        f'<text x="{x:.1f}" y="16" text-anchor="{anchor}">{peak:,} B at {escape(names[top] if names else "")}</text>',
        f'<text x="10" y="{TOP + HIGH + 16}">first layer</text>',
        f'<text x="{WIDE - 10}" y="{TOP + HIGH + 16}" text-anchor="end">last of {len(amounts):,} operations</text>',
    ]
    return _svg(parts, TOP + HIGH + 24, title)


def _svg(parts: Sequence[str], high: int, title: str) -> str:
    size = f'viewBox="0 0 {WIDE} {high}" width="{WIDE}" height="{high}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><title>{escape(title)}</title>'
    return "\n".join([head + STYLE, *parts, "</svg>\n"])
