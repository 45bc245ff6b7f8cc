"""Every printed figure of `data/tables/` is in the `published:` of a config, and is reproduced or has a reason."""

import re
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from costcalc import analyze, load
from costcalc.analysis.reproduce.reproduce import findings, tables
from costcalc.model.variables import settle
from costcalc.quantities import ERRATUM, EXACT, NOT_REPRODUCIBLE, figure
from costcalc.read.loading import configs
from costcalc.rewrite import standard

TABLES = Path(__file__).parents[1] / "data" / "tables"
V1, V2, V3, V4 = "arXiv:1704.04861", "arXiv:1801.04381", "arXiv:1905.02244", "arXiv:2404.10518"
SLIM = "tensorflow/models research/slim/nets/"

SOURCES = {  # location of figures in a file, and the prefix of the source of their claims
    **{f"mobilenet_v1_paper/tables/t{n}": (V1, f"Table {n}") for n in range(2, 15)},
    "mobilenet_v1_paper/tables/t11/text": (V1, "section 4.4"),
    "mobilenet_v1_paper/tables/text_claims": (V1, "section 3.2"),
    **{f"mobilenet_v2_v3_v4_papers/v2/t{n}": (V2, f"Table {n}") for n in range(4, 8)},
    **{f"mobilenet_v2_v3_v4_papers/v3/t{n}": (V3, f"Table {n}") for n in (3, 6, 7, 8)},
    "mobilenet_v2_v3_v4_papers/v3/large_1_25": ("megvii-model/ShuffleNet-Series", "README"),
    "mobilenet_v2_v3_v4_papers/v4/imagenet": (V4, "Table 5"),
    "slim_checkpoints/mobilenet_v1": (SLIM, "mobilenet_v1.md"),
    "slim_checkpoints/mobilenet_v1/docstring": (SLIM, "mobilenet_v1.py"),
    "slim_checkpoints": (SLIM, "mobilenet/README.md"),
}
UNITS = {  # name of a figure in the files -> its metric and unit
    "madds_m": ("mult_adds", 10**6),
    "madds_b": ("mult_adds", 10**9),
    "madds_f_b": ("mult_adds", 10**9),
    "madds_h_b": ("mult_adds", 10**9),
    "macs_m": ("mult_adds", 10**6),
    "macs_g": ("mult_adds", 10**9),
    "macs": ("mult_adds", 1),
    "params_m": ("params", 10**6),
    "body_params_m": ("params", 10**6),
    "final_layer_params_m": ("params", 10**6),
    "params": ("params", 1),
    "madds_pct": ("mult_adds_share", 1),
    "params_pct": ("params_share", 1),
}
DIFFERENCES = {"v3.txt.laststage", "v3.txt.stem"}  # savings of a change, for networks that are not printed


WHAT = ("framework", "model", "name", "net", "backbone", "head", "mod", "type", "alpha", "res")  # the network
HOW = ("os", "aspp", "mf", "rf2", "lite", "f", "minimalistic")


class Printed(NamedTuple):
    """A row of the files: its source, its network, and its figures."""

    id: str
    source: tuple
    what: tuple
    figures: tuple  # (metric, number) pairs
    setting: tuple  # (variable, value) pairs


@cache
def table(name):
    """One file of printed figures."""
    return yaml.safe_load((TABLES / f"{name}.yaml").read_text())


def rows(value, path):
    """(path, row) of every row with a figure, anywhere in a file."""
    if isinstance(value, dict):
        if UNITS.keys() & value.keys() and "columns" not in value:
            yield path, value
        names = value.get("columns")
        for key, part in value.items():
            if names and key == "rows":
                part = [dict(zip(names, row, strict=True)) for row in part]
            yield from rows(part, f"{path}/{key}")
    elif isinstance(value, list) and path.endswith("docstring_layers_1.0_224"):
        yield from ((path, {"params": params, "macs": macs}) for params, macs in value)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from rows(item, f"{path}/{number}")


def unit(row, key):
    """The value of the unit of a figure, corrected if the printed one is wrong."""
    return 10**6 if key == "madds_b" and "Million" in row.get("madds_printed", "") else UNITS[key][1]


def printed():
    """Every row with mult-adds or params."""
    for file in ("mobilenet_v1_paper", "slim_checkpoints", "mobilenet_v2_v3_v4_papers"):
        for path, row in rows(table(file), file):
            if row.get("id") in DIFFERENCES:
                continue
            known = max((prefix for prefix in SOURCES if path.startswith(prefix)), key=len)
            what = tuple(row[key] for key in (*WHAT, *HOW) if key in row)
            place = re.sub(r"/rows/\d+$", "", path.partition("/")[2])
            yield Printed(
                row.get("id") or " ".join([place, *map(str, what)]),
                SOURCES[known],
                what,
                tuple((UNITS[key][0], Fraction(str(row[key])) * unit(row, key)) for key in row if key in UNITS),
                tuple((key, row[key]) for key in ("alpha", "res") if key in row),
            )


PRINTED = list(printed())


def stands_in(source, title):
    """Whether a source is the table of a row."""
    paper, part = source
    return paper in title and re.search(rf"{re.escape(part)}\b", title)


@cache
def found():
    """(title of the table, the config's variables at the claim, finding) for each figure of every config."""
    entries = []
    for name in configs():
        model = load(name)
        for finding in findings(model):
            values = settle(model, finding.claim.at)
            entries += [(title, values, finding) for title in tables(finding.claim.source)]
    return entries


def claimed(row, metric, number):
    """The findings for one figure of a row."""
    metrics = {metric, "flops"} if metric == "mult_adds" else {metric}
    return [
        finding
        for title, values, finding in found()
        if stands_in(row.source, title)
        and finding.metric in metrics
        and number_of(finding) == number
        and all(values.get(name, value) == value for name, value in row.setting)
    ]


def alike(row, metric, number):
    """The networks with the same figure in the same table."""
    return {
        other.what
        for other in PRINTED
        if (other.source, other.setting) == (row.source, row.setting) and (metric, number) in other.figures
    }


def number_of(finding):
    """The exact printed number."""
    digits, places, unit = figure(finding.printed)
    return Fraction(digits * unit, 10**places)


REASONED = {  # row, metric -> verdict if not exact; the configs have the reasons
    ("resnet50_reference_in_readme", "mult_adds"): ERRATUM,
    ("t2.conv", "mult_adds_share"): ERRATUM,
    ("t7.160", "mult_adds"): ERRATUM,
    ("t8.googlenet", "mult_adds"): NOT_REPRODUCIBLE,
    ("t8.googlenet", "params"): ERRATUM,
    ("t9.mobilenet", "mult_adds"): ERRATUM,
    ("t10.1.0-224", "mult_adds"): ERRATUM,
    ("t10.1.0-192", "mult_adds"): ERRATUM,
    ("t9.squeezenet", "mult_adds"): ERRATUM,
    ("t10.inception", "mult_adds"): ERRATUM,
    ("t10.inception", "params"): NOT_REPRODUCIBLE,
    ("t11.text.mobilenet", "mult_adds"): ERRATUM,
    ("t13.ssd.vgg", "params"): NOT_REPRODUCIBLE,
    ("t13.f600.vgg", "mult_adds"): NOT_REPRODUCIBLE,
    ("t14.1.0-160", "mult_adds"): NOT_REPRODUCIBLE,
    ("t14.1.0-160", "params"): NOT_REPRODUCIBLE,
    ("t14.1.0-128", "params"): NOT_REPRODUCIBLE,
    ("t14.0.75-128a", "mult_adds"): ERRATUM,
    ("t14.0.75-128a", "params"): NOT_REPRODUCIBLE,
    ("t14.0.75-128b", "mult_adds"): NOT_REPRODUCIBLE,
    ("t14.0.75-128b", "params"): NOT_REPRODUCIBLE,
    ("mobilenet_v1 0.5 224", "mult_adds"): ERRATUM,
    ("v2.t4.v1", "mult_adds"): ERRATUM,
    ("v2.t4.v2_14", "mult_adds"): ERRATUM,
    ("v2.t4.v2_14", "params"): ERRATUM,
    ("mobilenet_v3 Small dm=1 1.0 False", "mult_adds"): NOT_REPRODUCIBLE,
    ("mobilenet_v3 Small minimalistic 1.0 True", "mult_adds"): NOT_REPRODUCIBLE,
    ("v3.t3.large", "mult_adds"): ERRATUM,
    ("v3/t3/rows/5/earlier_text", "mult_adds"): NOT_REPRODUCIBLE,
    ("v3.t3.small075", "mult_adds"): ERRATUM,
    ("v3.large125", "mult_adds"): NOT_REPRODUCIBLE,
    ("v4.conv_m", "params"): NOT_REPRODUCIBLE,
    ("v4.conv_l", "mult_adds"): NOT_REPRODUCIBLE,
    ("v4.conv_l", "params"): NOT_REPRODUCIBLE,
    ("v2/t4/first_arxiv_version ShuffleNet (1.5)", "params"): ERRATUM,
    ("v2/t4/first_arxiv_version ShuffleNet (x2)", "params"): ERRATUM,
    ("v2.t6.yolov2", "mult_adds"): ERRATUM,
    **{(f"v2.t7.{number}", "mult_adds"): NOT_REPRODUCIBLE for number in range(1, 9)},
    ("v3.t3.mnas", "mult_adds"): ERRATUM,
    ("v3.t3.mnas_small", "mult_adds"): NOT_REPRODUCIBLE,
    ("v3.t3.mnas_small", "params"): NOT_REPRODUCIBLE,
    ("v2.t5.ssdlite", "mult_adds"): ERRATUM,
    ("v3.t6.v2", "mult_adds"): NOT_REPRODUCIBLE,
    ("v3.t6.v3", "mult_adds"): NOT_REPRODUCIBLE,
    **{(f"v3.t7.{number}", "mult_adds"): NOT_REPRODUCIBLE for number in range(1, 12)},
    **{(row.id, "mult_adds"): NOT_REPRODUCIBLE for row in PRINTED if row.id.startswith("v3/t8 ")},
    **{(f"v2.t6.{name}", each): NOT_REPRODUCIBLE for name in ("ssd300", "ssd512") for each in ("mult_adds", "params")},
    **{(f"v4.{name}", each): NOT_REPRODUCIBLE for name in ("hybrid_m", "hybrid_l") for each in ("mult_adds", "params")},
    **{(f"v2.t7.{number}", "mult_adds"): NOT_REPRODUCIBLE for number in range(1, 9)},
    **{(f"v3.t6.{name}", "params"): NOT_REPRODUCIBLE for name in ("mnas", "mnas05", "mnas035")},
}


@pytest.mark.parametrize("row", PRINTED, ids=lambda row: row.id)
def test_every_figure_is_claimed_and_comes_out(row):
    for metric, number in row.figures:
        verdicts = [finding.verdict for finding in claimed(row, metric, number)]
        assert len(verdicts) >= len(alike(row, metric, number)), metric
        assert set(verdicts) == {REASONED.get((row.id, metric), EXACT)}, metric


def test_no_figure_is_claimed_that_is_not_printed():
    titles = {title for title, _, _ in found() if re.search("|".join((V1, V2, V3, V4, SLIM)), title)}
    assert len(titles) > 10
    for title, _, finding in found():
        rows = [row for row in PRINTED if stands_in(row.source, title)]
        numbers = {number for row in rows for metric, number in row.figures}
        if title in titles and rows:
            assert number_of(finding) in numbers, (title, finding.claim.place.line)


@pytest.mark.parametrize("name", configs())
def test_no_reason_is_given_that_is_not_needed(name):
    model = load(name)
    verdicts: dict = {}
    for finding in findings(model):
        verdicts.setdefault(id(finding.claim), set()).add(finding.verdict)
    for claim in model.published:
        assert not claim.errata or ERRATUM in verdicts[id(claim)], claim.place.line
        assert not claim.unreproducible or NOT_REPRODUCIBLE in verdicts[id(claim)], claim.place.line
        assert all(name in claim.figures for name in claim.corrected)


def test_every_figure_of_the_files_is_looked_at():
    texts = [(TABLES / f"{name}.yaml").read_text() for name in ("mobilenet_v1_paper", "mobilenet_v2_v3_v4_papers")]
    there = sum(len(re.findall(r"\b\w*(?:madds|macs|params)\w*: [\d.]+", text)) for text in texts)
    taken = sum(len(row.figures) for row in PRINTED if SLIM not in row.source)
    assert there == taken + len(DIFFERENCES)
    slim = table("slim_checkpoints")
    counts = [len(slim[name]["rows"]) for name in ("mobilenet_v1", "mobilenet_v2", "mobilenet_v3", "mobilenet_edgetpu")]
    assert sum(SLIM in row.source for row in PRINTED) == sum(counts) + 2 + 27 + 1  # a docstring, and a text


TOTALS = [  # spec, variables, convention, mult-adds, params
    ("mobilenet", {}, "paper", 568_740_352, 4_209_088),
    ("mobilenet", {"alpha": 0.75, "res": 160}, "paper", 166_396_800, 2_568_144),
    ("mobilenet", {}, "framework", 568_740_352, 4_231_976),
    ("mobilenet_v2", {}, "paper", 300_774_272, 3_469_760),
    ("mobilenet_v2", {}, "framework", 300_774_272, 3_504_872),
    ("vgg16", {}, "framework", 15_470_264_320, 138_357_544),
    ("resnet50", {}, "framework", 4_089_184_256, 25_557_032),
    ("resnet50", {"v1": 1}, "framework", 3_857_973_248, 25_557_032),
    ("googlenet", {}, "paper", 1_582_671_872, 6_990_272),
]


@pytest.mark.parametrize(("spec", "values", "convention", "mult_adds", "params"), TOTALS)
def test_totals(spec, values, convention, mult_adds, params):
    report = analyze(spec, convention=convention, **values)
    assert tuple(report.totals.values()) == (mult_adds, params)


def totals(spec, **values):
    """(mult-adds, params) of a network."""
    return tuple(analyze(spec, **values).totals.values())


def test_keras_counts_the_moving_statistics():
    rows = next(row["rows"] for row in table("popular_models")["rows"] if row["id"] == "mobilenet_keras")
    assert {alpha: totals("mobilenet", convention="keras", alpha=float(alpha))[1] for alpha in rows} == rows


def test_what_the_text_of_the_paper_says_of_its_tables():
    claims = {
        row["id"].removeprefix("txt."): row for row in table("mobilenet_v1_paper")["tables"]["text_claims"]["rows"]
    }
    tables_of = table("mobilenet_v1_paper")["tables"]
    others = {row["id"]: row for name in ("t8", "t9", "t12") for row in tables_of[name]["rows"]}
    full, half = totals("mobilenet"), totals("mobilenet", alpha=0.5, res=160)
    thin = totals("mobilenet", alpha=0.25, res=128, min_depth=16)
    lines = analyze("mobilenet").lines
    assert sum(line.op in ("conv", "dwconv", "linear") for line in lines) == claims["layers"]["value"]
    dense = {line.name: line.cost for line in analyze(standard(load("mobilenet")).model).by_block()}
    for line in analyze("mobilenet").by_block():  # 1/N + 1/DK^2, with N = 64 in the first
        if line.name.startswith("separable_") and line.name != "separable_1":
            assert claims["factor"]["low"] < dense[line.name] / line.cost < claims["factor"]["high"]
    vgg = analyze("vgg16")
    convolutions = sum(line.cost for line in vgg.lines if line.op == "conv")
    assert vgg.totals["params"] // full[1] == claims["vgg_size"]["value"]
    assert round(convolutions / full[0]) == claims["vgg_compute"]["value"]
    assert others["t8.googlenet"]["madds_m"] * 10**6 / full[0] > claims["googlenet_compute"]["value"]
    assert others["t9.alexnet"]["params_m"] * 10**6 // half[1] == claims["alexnet_size"]["value"]
    assert int(others["t9.alexnet"]["madds_m"] * 10**7 / half[0]) / 10 == claims["alexnet_compute"]["value"]
    assert others["t9.squeezenet"]["madds_m"] * 10**6 // half[0] == claims["squeezenet_compute"]["value"]
    assert round(100 * thin[0] / others["t12.baseline"]["madds_m"] / 10**6) == claims["face_share"]["value"]
