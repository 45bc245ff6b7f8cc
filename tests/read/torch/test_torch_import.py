"""PyTorch modules as models: the graph of torch.export. The extra `test` does not include torch."""

import csv
import importlib.util
import io
import json
import logging
import sys
from collections import Counter

import pytest

from costcalc import analyze
from tests.read.onnx.test_onnx import NETWORKS, recorded, total

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed: costcalc[torch]"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]

NETS = '''
import torch
from torch import nn
import torch.nn.functional as F


class Bottleneck(nn.Module):
    def __init__(self, channels=8, ratio=6):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(channels, channels * ratio, 1, bias=False),
            nn.BatchNorm2d(channels * ratio),
            nn.ReLU6(inplace=True),
            nn.Conv2d(channels * ratio, channels * ratio, 3, 1, 1, groups=channels * ratio, bias=False),
            nn.BatchNorm2d(channels * ratio),
            nn.ReLU6(inplace=True),
            nn.Conv2d(channels * ratio, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x):
        return x + self.conv(x)


class Net(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        print("made")
        self.features = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), Bottleneck(), Bottleneck(ratio=2))
        self.head = nn.Linear(8, num_classes)
        self.unused = nn.Linear(1000, 1000)

    def forward(self, x):
        return self.head(self.features(x).mean((2, 3)))


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(100, 16)
        self.mix = nn.Linear(16, 16)
        self.out = nn.Linear(16, 100, bias=False)
        self.out.weight = self.table.weight

    def forward(self, tokens):
        x = self.table(tokens)
        return self.out(self.mix(self.mix(x)))


class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)

    def forward(self, x):
        return self.layer(x)


class Zoo(nn.Module):
    """Operators that few networks have."""

    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose2d(4, 6, 3, 2, 1, output_padding=1)
        self.norm = nn.GroupNorm(2, 6)
        self.plain = nn.BatchNorm2d(6, affine=False)
        self.act = nn.PReLU(6)
        self.register_buffer("mask", torch.ones(6, 1, 1))
        self.shift = nn.Parameter(torch.zeros(6, 1, 1))

    def forward(self, x):
        x = self.act(self.plain(self.norm(self.up(F.pad(x, (1, 2, 3, 4)))))) * self.mask + self.shift
        a, b = x.chunk(2, 1)
        x = torch.stack([a, b], 1).flatten(1, 2).transpose(2, 3)[:, :, 1:-1:2]
        x = F.interpolate(F.adaptive_avg_pool2d(x, 5), scale_factor=2.0, mode="bilinear")
        x = F.glu(F.pixel_shuffle(torch.cat([x, x[:, :2]], 1), 2), 3).amax(1)
        values, places = x.max(-1)
        q = torch.einsum("bij,bkj->bik", x, x)
        return F.hardtanh(q, 0, 6).topk(2)[0], torch.where(values > 0, values, 1.0), places


class Positions(nn.Module):
    """A table of relative positions."""

    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.zeros(5, 8))
        self.register_buffer("places", torch.arange(3)[:, None] - torch.arange(3)[None] + 2, persistent=False)
        self.fc = nn.Linear(8, 8)

    def forward(self, x):
        return self.fc(x[:, :, None] + self.table[self.places][None])


class Unknown(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 8)

    def forward(self, x):
        return torch.linalg.qr(self.fc(x))[0]


class Guarded(nn.Module):
    def __init__(self):
        super().__init__()
        self.frozen, self.fc = nn.Linear(8, 16), nn.Linear(16, 4)

    def forward(self, x):
        with torch.no_grad():
            relu = self.frozen(x).relu()
        return self.fc(relu).relu()


class Wrong(nn.Module):
    def forward(self, x):
        raise ValueError("no luck\\nsecond line")


def fails():
    raise KeyError("configuration")


def leaves():
    raise SystemExit(3)


def looks(): # at its numbers, which there are none of on the meta device
    net = nn.Linear(8, 4)
    assert net.weight.abs().sum().item() >= 0
    return net


def recurrent(cell, **options):
    return getattr(nn, cell)(10, 20, **options)


ready = nn.Linear(8, 4)
number = 3
'''


@pytest.fixture
def nets(tmp_path, monkeypatch):
    """A module `nets_of_test` in the working directory."""
    (tmp_path / "nets_of_test.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield "nets_of_test"
    sys.modules.pop("nets_of_test", None)


@pytest.fixture
def model(nets):
    """A function that reads the module from a callable as a Model."""
    from costcalc.read.torch import program, reader

    def read(name, *shapes, kind="float32", **kwargs):
        exported = program.exported(f"{nets}:{name}", [(shape, kind) for shape in shapes], kwargs)
        return reader.read(exported, name, f"{nets}:{name}")

    return read


def counts(model):
    """Layer -> (mult-adds, parameters) if it has any, and the totals."""
    report = analyze(model, convention="framework")
    assert report.complete
    rows = {line.name: (line.cost, line.params) for line in report.lines if line.cost or line.params}
    return rows, report.totals["mult_adds"], report.totals["params"]


def numbers(nets, name, *args, **kwargs):
    """The number of parameters of the module itself."""
    found = getattr(sys.modules[nets], name)(*args, **kwargs)
    return sum(one.numel() for one in found.parameters())


def test_layers_have_the_names_of_their_modules(model, nets, capsys):
    rows, mult_adds, params = counts(model("Net", (1, 3, 32, 32)))
    assert rows["features/0"] == (16 * 16 * 8 * 27, 8 * 28)
    assert rows["features/1/conv/0"] == (256 * 8 * 48, 8 * 48)
    assert rows["features/1/conv/3"] == (256 * 48 * 9, 48 * 9)
    assert rows["features/2/conv/7"] == (0, 16)
    assert rows["head"] == (80, 90)
    assert mult_adds == 256 * (8 * 27 + 2 * 8 * 48 + 9 * 48 + 2 * 8 * 16 + 9 * 16) + 80
    assert params == numbers(nets, "Net") - 1001 * 1000  # the unused layer is in no graph
    assert capsys.readouterr().out == "made\n"  # printed here by `numbers`; otherwise it goes to standard error


def test_shared_numbers_are_counted_once(model, nets):
    rows, mult_adds, params = counts(model("Tied", (1, 12), kind="int64"))
    assert mult_adds == 12 * (2 * 16 * 16 + 16 * 100)
    assert params == numbers(nets, "Tied") == 100 * 16 + 17 * 16
    assert rows["out"] == (12 * 1600, 0)


def test_attention(model, nets):
    rows, mult_adds, params = counts(model("Heads", (1, 7, 32)))
    assert mult_adds == 7 * 4 * 32 * 32 + 2 * 7 * 7 * 32 + 7 * 2 * 32 * 64
    assert params == numbers(nets, "Heads")
    assert sum(cost for name, (cost, _) in rows.items() if "self_attn" in name) == 7 * 4 * 32 * 32 + 2 * 7 * 7 * 32


def test_operators_that_few_networks_have(model, nets):
    rows, mult_adds, params = counts(model("Zoo", (1, 4, 9, 8)))
    assert rows["up"] == (4 * 16 * 11 * 6 * 9, 4 * 6 * 9 + 6)
    assert mult_adds == rows["up"][0] + 20 * 20 * 10
    assert params == numbers(nets, "Zoo")


GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize(
    ("options", "sums"),
    [
        ({}, 10 + 20),
        ({"num_layers": 2, "bidirectional": True}, 2 * (10 + 20) + 2 * (40 + 20)),
        ({"batch_first": True, "bias": False}, 10 + 20),
    ],
    ids=["plain", "deep", "no bias"],
)
def test_recurrent_layers(model, nets, kind, options, sums):
    shape = (1, 6, 10) if options.get("batch_first") else (6, 1, 10)
    _, mult_adds, params = counts(model("recurrent", shape, cell=kind, **options))
    assert (mult_adds, params) == (6 * GATES[kind] * 20 * sums, numbers(nets, "recurrent", kind, **options))


def test_an_unknown_operator_is_a_row_of_unknown_cost(model):
    report = analyze(model("Unknown", (1, 4, 8)))
    assert [line.name for line in report.lines if not line.complete] == ["linalg_qr"]
    assert not report.complete


def test_what_is_unknown_is_unknown_in_the_spec(nets, run):
    assert torch_command(run, "Unknown", "--input", "4x8", "-o", "net.yaml").code == 0
    code, out, _ = run("analyze", "net.yaml", "--json")
    assert (code, json.loads(out)["complete"]) == (0, False)


def test_graphs_in_graphs(model):
    rows, mult_adds, params = counts(model("Guarded", (1, 8)))
    assert rows == {"frozen": (128, 144), "fc": (64, 68)}
    assert (mult_adds, params) == (192, 212)


def test_what_looks_at_its_numbers_is_made_with_them(model):
    assert counts(model("looks", (1, 8)))[1:] == (32, 36)
    assert counts(model("ready", (1, 8)))[1:] == (32, 36)


def torch_command(run, name, *args):
    return run("import", "torch", f"nets_of_test:{name}", *args)


def test_the_command_writes_a_spec(nets, run):
    args = ("--input", "32x32x3", "--kwargs", '{"num_classes": 5}', "-o", "net.yaml")
    said = (
        "note: running the code of nets_of_test:Net\nmade\n"
        "note: no layer that runs has the parameters `unused.weight`, `unused.bias`\n"
    )
    assert torch_command(run, "Net", *args) == (0, "", said)
    code, out, err = run("analyze", "net.yaml", "--json", "--convention", "framework")
    assert (code, err) == (0, "")
    totals = json.loads(out)["totals"]
    assert (totals["mult_adds"], totals["params"]) == (
        256 * (8 * 27 + 2 * 8 * 48 + 9 * 48 + 2 * 8 * 16 + 9 * 16) + 40,
        numbers(nets, "Net", 5) - 1001 * 1000,
    )


def test_costs_are_shown_by_module(nets, run):
    code, out, _ = torch_command(run, "Net", "--input", "32x32x3", "--depth", "2", "-c", "framework", "--format", "csv")
    assert code == 0
    rows = {row["name"]: row for row in csv.DictReader(out.splitlines())}
    assert [*rows][:2] == ["features/0", "features/1"]
    assert int(rows["features/1"]["mult_adds"]) == 256 * (2 * 8 * 48 + 9 * 48)
    assert int(rows["features/1"]["params"]) == 2 * 8 * 48 + 9 * 48 + 2 * (48 + 48 + 8)


def test_a_table_that_is_read_more_than_once_is_written_once(nets, run):
    assert torch_command(run, "Positions", "--input", "3x8", "-o", "net.yaml").code == 0
    code, out, _ = run("analyze", "net.yaml", "--json", "--convention", "framework")
    assert (code, json.loads(out)["totals"]["params"]) == (0, 5 * 8 + 72)


def test_help_says_that_code_is_run(run):
    code, out, _ = run("import", "torch", "--help")
    assert code == 0
    assert "RUNS THE CODE" in out


BAD = [  # arguments, text of the error
    (["nets_of_test"], "`nets_of_test` does not name a callable in a module"),
    (["no_such_module_here:Net"], "there is no module `no_such_module_here`"),
    (["nets_of_test:Nett"], "a similar name exists: `Net`"),
    (["nets_of_test:number"], "gives a int"),
    (["nets_of_test:fails"], "cannot be created: KeyError: 'configuration'"),
    (["nets_of_test:leaves"], "cannot be created: SystemExit: 3"),
    (["nets_of_test:Net", "--kwargs", '{"classes": 5}'], "unexpected keyword argument 'classes'"),
    (["nets_of_test:Net", "--kwargs", "5"], "`--kwargs` is not a JSON object: it is not an object"),
    (["nets_of_test:Net", "--kwargs", "{"], "`--kwargs` is not a JSON object"),
    (["nets_of_test:ready", "--kwargs", '{"a": 5}'], "is already a module"),
    (["nets_of_test:ready", "--width", "alpha", "--depth", "1"], "`--width` is for a spec"),
    (["nets_of_test:ready", "--format", "csv"], "`--format` is for costs"),
    (["nets_of_test:Net", "--input", "5x0"], "input `5x0` is not a shape"),
    (["nets_of_test:Net", "--input", "5:text"], "help: types: float32"),
    (["nets_of_test:Net", "--input", "32x32x4"], "cannot be exported for this input: RuntimeError"),
    (["nets_of_test:Net", "--input", "5", "--input", "5"], "cannot be exported for this input: "),
    (["nets_of_test:Wrong"], "cannot be exported for this input: ValueError: no luck"),
]


@pytest.mark.parametrize(("args", "message"), BAD, ids=[" ".join(args) for args, _ in BAD])
def test_bad_input_is_one_clear_error(nets, run, args, message):
    given = args if "--input" in args else [*args, "--input", "8x8x3"]
    code, out, err = run("import", "torch", *given)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("error:") == 1


def test_pytorch_logs_no_traceback_beside_the_error(run):
    """It logs errors of its shape rules, here for a factor that does not divide."""
    logged = io.StringIO()
    handler = logging.StreamHandler(logged)
    logging.getLogger("torch").addHandler(handler)
    try:
        given = ["torch.nn:PixelShuffle", "--kwargs", '{"upscale_factor": 3}', "--input", "8x8x4"]
        done = run("import", "torch", *given)
        logging.getLogger("torch").error("another")
    finally:
        logging.getLogger("torch").removeHandler(handler)
    assert (done.code, done.err.count("error:"), "pixel_shuffle" in done.err) == (2, 1, True)
    assert logged.getvalue() == "another\n"


def test_an_error_says_where_it_was_raised(nets, run):
    _, _, err = torch_command(run, "Wrong", "--input", "8")
    line = next(at for at, text in enumerate(NETS.splitlines(), 1) if "no luck" in text)
    assert f"nets_of_test.py:{line}, in forward" in err


def test_torch_may_be_missing(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    code, _, err = run("import", "torch", "net:Net", "--input", "8")
    assert code == 2
    assert "needs the package `torch`" in err
    assert "pip install 'costcalc[torch]'" in err


def torchvision_works():
    """Whether torchvision is installed and matches the installed torch."""
    try:
        return importlib.import_module("torchvision") is not None
    except (ImportError, RuntimeError):
        return False


RECORDED = [name for name, one in NETWORKS.items() if one["source"] in ("torchvision", "torchvision.segmentation")]


def options(name):
    """The options that create a recorded network."""
    if NETWORKS[name]["source"] == "torchvision":
        return {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return {"weights_backbone": None, **({} if name.startswith("lraspp") else {"aux_loss": True})}


@pytest.mark.skipif(importlib.util.find_spec("torchvision") is None, reason="torchvision is not installed")
@pytest.mark.parametrize("name", RECORDED)
def test_torchvision_is_as_recorded(name, tmp_path):
    if not torchvision_works():
        pytest.skip("torchvision is for another torch")
    from costcalc.read.torch import program, reader
    from costcalc.write.spec import spec_text

    network = NETWORKS[name]
    places = "torchvision.models.segmentation" if "segmentation" in network["source"] else "torchvision.models"
    exported = program.exported(f"{places}:{name}", [(network["input"], "float32")], options(name))
    read = reader.read(exported, name, name)
    report = analyze(read, convention="framework")
    weights = analyze(read)
    assert Counter((line.cost, line.params) for line in weights.lines if line.cost) == Counter(taken_apart(network))
    assert report.totals == {"mult_adds": total(network), "params": network["params_in_rows"]}
    (tmp_path / "net.yaml").write_text(spec_text(read, {}))
    assert analyze(tmp_path / "net.yaml", convention="framework").totals == report.totals


def taken_apart(network):
    """The record with both products of an attention as one layer."""
    products = [(cost, weight) for cost, weight in recorded(network) if not weight and "vit" in network["model"]]
    others = [one for one in recorded(network) if one not in products]
    return [*others, *((2 * cost, 0) for cost, _ in products[::2])]
