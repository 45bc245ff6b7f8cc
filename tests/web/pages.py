"""Write the pages for the browser tests and their expected content: `python -m tests.web.pages DIRECTORY`.

The expected content comes from `analyze`, not from the code that writes pages.
"""

import json
import random
import subprocess
import sys
from pathlib import Path

import costcalc
from tests.analysis.test_page import HOSTILE, NETS

SETTINGS = 20
FIVE = {  # slider values, if not declared by the spec
    "mobilenet": {},
    "mobilenet_v2": {
        "alpha": [0.35, 0.5, 0.75, 1.0, 1.4],
        "res": [96, 128, 160, 192, 224],
        "output_stride": 32,
        "tail": 1,
    },
    "ofa_mobilenet_v3": {},
    "swin_t": {},
    "shufflenet_v1": {},
}
GRAPHS = ("mobilenet", "squeezenet1_0", "resnet18")


def settings(spec, document, given):
    """Settings of a page, each with the totals of `analyze --format json`."""
    fixed = {name: value for name, value in given.items() if type(value) is not list}
    points = [one for one in document["points"] if "error" not in one]
    chosen = random.Random(spec).sample(points, min(SETTINGS, len(points)))
    metrics = [one["name"] for one in document["metrics"]]
    for point in chosen:
        setting = {axis["name"]: axis["values"][at] for axis, at in zip(document["axes"], point["at"], strict=True)}
        text = costcalc.analyze(spec, metrics=metrics[2:], settings={**fixed, **setting}).text("json")
        totals = {name: str(total) for name, total in json.loads(text)["totals"].items()}
        yield {"at": point["at"], "setting": setting, "totals": totals}


def edges(spec):
    """The edges between shown layers by name, passing through layers without cost."""
    report = costcalc.analyze(spec)
    rows, lines = report.trace.rows, report.lines

    def above(source):
        if type(source) is str:
            return {f"input {source}"}
        if source is None:
            return set()
        if not lines[source].folded:
            return {lines[source].name}
        return {name for one in rows[source].sources for name in above(one)}

    shown = [number for number in range(len(rows)) if not lines[number].folded]
    pairs = ((source, lines[number].name) for number in shown for source in rows[number].sources)
    return sorted({(name, target) for source, target in pairs for name in above(source)})


def main(folder):
    """Write the pages and `truth.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    truth = {"settings": {}, "edges": {spec: edges(spec) for spec in GRAPHS}, "large": []}
    for spec, given in {**FIVE, **{spec: {} for spec in GRAPHS if spec not in FIVE}}.items():
        page = costcalc.page(spec, folder / f"{spec}.html", **given)
        if spec in FIVE:
            truth["settings"][spec] = list(settings(spec, page.document, given))
    single = costcalc.page("mobilenet_v2", folder / "single.html").document
    assert not single["grid"]
    truth["single"] = list(settings("mobilenet_v2", single, {}))
    for name, (spec, given) in NETS.items():
        file = name.lower().replace(" ", "_").replace(",", "")
        costcalc.page(spec, folder / f"{file}.html", **given)
        truth["large"].append(file)
    costcalc.page(HOSTILE, folder / "hostile.html")
    costcalc.page("repvgg_a0", folder / "repvgg_a0.html")
    costcalc.page(costcalc.compare("mobilenet", conv="standard"), folder / "compare.html")
    costcalc.page(costcalc.diff("mobilenet", "mobilenet_v2"), folder / "diff.html")
    costcalc.page(costcalc.check("mobilenet", max={"params": "4M", "mult_adds": "570M"}), folder / "check.html")
    sweep = ["sweep", "mobilenet", "--alpha", "0.25:1:0.25", "--res", "128:224:32", "-o", str(folder / "sweep.html")]
    subprocess.run([sys.executable, "-m", "costcalc", *sweep], check=True)
    (folder / "notebook.html").write_text(costcalc.analyze("mobilenet")._repr_html_(), encoding="utf-8")
    (folder / "truth.json").write_text(json.dumps(truth), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
