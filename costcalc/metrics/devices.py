"""Devices: operations and bytes per second, each with its source. Shipped devices have names; others have paths."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from fractions import Fraction

from ..errors import FileError, OptionError, Problem, Source, listed, nearest
from ..files import check_links, text
from ..records import NamedTuple
from ..syntax.nodes import Node, compose
from ..syntax.problems import Problems

_FOLDER = os.path.join(os.path.dirname(__file__), "device_files")
NAMES = tuple(sorted(name.removesuffix(".yaml") for name in os.listdir(_FOLDER) if name.endswith(".yaml")))
TYPES = {32: "float32", 16: "float16", 8: "int8"}  # bits of values -> name of the peak
_SCALES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}
_KEYS = ("name", "title", "peak", "bandwidth", "align")
_ALIGN = ("in", "out", "source")
MOST_ALIGNED = 4096  # channels of a vector
LONGEST = 300  # characters of a source


class Rate(NamedTuple):
    """Operations or bytes per second, with the source of the figure."""

    value: Fraction
    source: str


class Device(NamedTuple):
    """A device. `peak` is in operations per second (2 per mult-add) by value type, `bandwidth` in bytes per second."""

    name: str
    title: str
    peak: Mapping[str, Rate]
    bandwidth: Rate
    align: Mapping[str, int] = {}  # input and output channels of its vector or matrix units, if stated

    def peak_for(self, bits: int) -> Rate:
        """The peak for values of a width in bits. Raises OptionError if the device does not state it."""
        rate = self.peak.get(TYPES.get(bits, ""))
        if rate is None:
            help = f"it states {listed(self.peak)}: --bits 32, 16 or 8"
            raise OptionError(Problem("no-peak", f"`{self.name}` states no peak for {bits}-bit values", help=help))
        return rate


def device(name: str) -> Device:
    """The shipped device of a name, or the device in a file (`my_board.yaml`). Raises CostcalcError."""
    if name in NAMES:
        path = os.path.join(_FOLDER, f"{name}.yaml")
        return read(Source(path, text(path)))
    if not name.endswith((".yaml", ".yml")):
        help = nearest(name, NAMES) or f"known: {listed(NAMES)}; or the path of a device file, such as board.yaml"
        raise OptionError(Problem("unknown-device", f"there is no device `{name}`", help=help))
    if not os.path.exists(name):
        raise FileError(
            Problem("no-file", f"there is no file {name!r}", help="`costcalc devices` lists the shipped devices")
        )
    check_links(name)
    return read(Source(name, text(name)))


def read(source: Source) -> Device:
    """Read a device from a YAML text. Raises SpecError with all its problems."""
    problems = Problems(source)
    root = compose(source, problems)
    parts = _known(root, _KEYS, problems)
    peak = {key: rate for key, node in _map(parts.get("peak"), problems) if (rate := _rate(node, problems))}
    for key, _ in _map(parts.get("peak"), problems):
        if key not in TYPES.values():
            problems.unknown("type of value", key, parts["peak"], TYPES.values())
    bandwidth = _rate(parts["bandwidth"], problems) if "bandwidth" in parts else None
    if not peak or bandwidth is None:
        problems.add("missing", "a device has a `peak` and a `bandwidth`", root, "each is {value: 1.5 T, source: ..}")
    align = _align(parts["align"], problems) if "align" in parts else {}
    problems.raise_any()
    assert bandwidth is not None
    name = str(parts["name"].value) if "name" in parts else os.path.basename(source.path)
    return Device(name, str(parts["title"].value) if "title" in parts else name, peak, bandwidth, align)


def _known(node: Node, keys: tuple[str, ...], problems: Problems) -> dict[str, Node]:
    entries = {}
    for key, value in node.value if node.kind == "map" else ():
        if key.value in keys:
            entries[key.value] = value
        else:
            problems.unknown("key", key.value, key, keys)
    return entries


def _map(node: Node | None, problems: Problems) -> list[tuple[str, Node]]:
    return [(key.value, value) for key, value in node.value] if node is not None and node.kind == "map" else []


def _align(node: Node, problems: Problems) -> dict[str, int]:
    """The input and output channels that a device pads to."""
    parts = _known(node, _ALIGN, problems)
    values = {key: str(parts[key].value) for key in parts if parts[key].kind == "scalar"}
    sizes = {key: int(values[key]) for key in ("in", "out") if re.fullmatch(r"\d{1,4}", values.get(key, ""), re.ASCII)}
    if {*sizes} != {"in", "out"} or not values.get("source") or not all(1 <= n <= MOST_ALIGNED for n in sizes.values()):
        help = "write {in: 8, out: 8, source: the manual and its section}"
        problems.add("bad-align", f"`align` has channels in and out, 1 to {MOST_ALIGNED:,}, and a source", node, help)
        return {}
    return sizes


def _rate(node: Node, problems: Problems) -> Rate | None:
    parts = _known(node, ("value", "source"), problems)
    said = parts["value"].value if "value" in parts and parts["value"].kind == "scalar" else ""
    match = re.fullmatch(r"(\d{1,9})(?:\.(\d{1,9}))?\s*([kMGTP]?)", str(said), re.ASCII)
    source = parts["source"].value if "source" in parts and parts["source"].kind == "scalar" else ""
    if not match or not source or len(source) > LONGEST or not source.isprintable():
        help = "write {value: 19.5 T, source: the data sheet and its line}"
        problems.add("bad-rate", "a figure of a device has a value and its source", node, help)
        return None
    whole, part, scale = match.groups()
    value = Fraction(int(whole + (part or "")), 10 ** len(part or "")) * _SCALES[scale]
    if not value:
        problems.add("bad-rate", "a rate is more than 0", node)
        return None
    return Rate(value, source)
