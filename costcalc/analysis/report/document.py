"""A report as a JSON document: the conditions of its figures, its totals and its rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ... import __version__
from ...metrics.chances import shown
from ...model.network import Model
from ...model.variables import settings_of
from ...render.json_ import SCHEMA_VERSION
from .columns import COLUMNS, View, columns_of, phase_of, public

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...metrics.pricing import Convention
    from ...num.values import Shape
    from .report import Line, Report


_LAYER = ("name", "op", "type", "input", "output", "kernel", "stride", "groups", "cost", "params", "line")
_GROUP = ("name", "cost", "cost_share", "params", "params_share", "layers")


def report_document(report: Report, view: View, lines: list[Line]) -> dict[str, Any]:
    """JSON document of a report: its totals, its layer types, and an iterator over the rows of the view."""
    found = document(report)
    names = columns_of(view, report, _LAYER, _GROUP)
    if view.by == "layer":
        types = View("type")
        groups = columns_of(types, report, _LAYER, _GROUP)
        found["by_type"] = [_row(report, line, groups, types) for line in report.by_type()]
    found["layers" if view.by == "layer" else f"by_{view.by}"] = (_row(report, line, names, view) for line in lines)
    return found


def document(report: Report) -> dict[str, Any]:
    """The JSON document without the rows."""
    return {
        **heading(report.model, report.convention, report.inputs, report.values),
        "complete": report.complete,
        "totals": report.totals,
        **({"left_out": report.model.left_out} if report.model.left_out else {}),
        **({"uncounted": report.uncounted} if report.uncounted else {}),
        **({"exact": exact} if (exact := report.exact) else {}),
        **({"storage": report.model.storage.text} if any(one.stored for one in report.metrics) else {}),
        **({} if report.accounting is None else {"accounting": report.accounting.record}),
    }


def heading(
    model: Model, convention: Convention, inputs: Mapping[str, Shape], values: Mapping[str, Any]
) -> dict[str, Any]:
    """Conditions of the figures of a spec: spec, variables, inputs and convention."""
    source, included = model.source, model.included
    return {
        "schema_version": SCHEMA_VERSION,
        "costcalc": __version__,
        "spec": {
            "name": model.name,
            "path": source.path,
            **_shipped(model),
            "sha256": _sha256(*(one.data or one.text.encode() for one in (source, *included))),
        },
        "vars": settings_of(values),
        "inputs": dict(inputs),
        "convention": convention.name,
        **({"phase": phase} if (phase := phase_of(model)) else {}),
    }


def _shipped(model: Model) -> dict:
    """Whether the spec, and each file that it includes, is a shipped config."""
    included = [{"path": one.path, "shipped": one.shipped} for one in model.included]
    return {"shipped": model.source.shipped, **({"included": included} if included else {})}


def _sha256(data: bytes, *included: bytes) -> str:
    """Hex digest of a spec: of its bytes, or of the digests of all its files if it includes others.

    Uses the interpreter's own module, because hashlib would load OpenSSL.
    """
    if included:
        data = "".join(map(_sha256, (data, *included))).encode()
    for name in ("_sha2", "_sha256", "hashlib"):
        try:
            return __import__(name).sha256(data).hexdigest()
        except ImportError:
            continue
    raise ImportError("sha256")


def _row(report: Report, line: Line, names: Iterable[str], view: View) -> dict[str, Any]:
    row = {
        public(name, report): COLUMNS[name].value(report, line) if name in COLUMNS else shown(line.more[name])
        for name in names
    }
    if view.by == "layer" and not view.columns:
        row.update(_exceptions(report, line))
    if view.by == "type" and "name" in row:
        row = {"type": row.pop("name"), **row}
    return row


def _exceptions(report: Report, line: Any) -> dict[str, Any]:
    """Fields that few layers have: another file, several inputs, several runs, shared weights, unknown cost."""
    fields = {"file": line.source} if line.source != report.model.source.path else {}
    if len(line.inputs) > 1:
        fields["inputs"] = line.inputs
    if line.times != 1:
        fields["times"] = line.times
    if line.shared:
        fields["shared"] = line.shared
    if not line.complete:
        fields["complete"] = False
    return fields
