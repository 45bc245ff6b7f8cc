"""PyTorch modules as arguments of the library's functions."""

import pytest

import costcalc

torch = pytest.importorskip("torch")
nn = torch.nn
FlopCounterMode = pytest.importorskip("torch.utils.flop_counter").FlopCounterMode


class Tied(nn.Module):
    """An embedding that shares its weights with the head."""

    def __init__(self):
        super().__init__()
        self.table, self.head = nn.Embedding(100, 16), nn.Linear(16, 100, bias=False)
        self.head.weight = self.table.weight

    def forward(self, tokens):
        return self.head(self.table(tokens))


def small():
    return nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(512, 10))


COST = 8 * 8 * 8 * 27 + 5120  # for `small` on 16x16x3, by hand
PARAMS = 8 * 27 + 8 + 16 + 5130


@pytest.mark.parametrize(
    "input", ["16x16x3", (16, 16, 3), [16, 16, 3], ["16x16x3"], [(16, 16, 3)], torch.zeros(1, 3, 16, 16)], ids=str
)
def test_inputs_are_written_in_several_ways(input):
    report = costcalc.analyze(small(), input=input, convention="framework")
    assert report.totals == {"mult_adds": COST, "params": PARAMS}
    assert sum(one.numel() for one in small().parameters()) == PARAMS
    assert report.model.name == "Sequential"


def test_the_module_is_not_changed():
    module = small().train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    state = torch.get_rng_state()
    costcalc.analyze(module, input="16x16x3")
    assert module.training
    assert all(one.training for one in module.modules())
    after = module.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert {value.device.type for value in module.parameters()} == {"cpu"}
    assert torch.equal(state, torch.get_rng_state())
    assert module(torch.zeros(2, 3, 16, 16)).shape == (2, 10)


def test_tied_parameters_count_once():
    module = Tied()
    report = costcalc.analyze(module, input="7:int64", convention="framework")
    assert report.totals["params"] == sum(one.numel() for one in module.parameters()) == 1600
    assert module.head.weight is module.table.weight


def test_views_of_one_storage_count_once():
    module = nn.Sequential(nn.Linear(8, 8, bias=False), nn.Linear(8, 8, bias=False))
    module[1].weight = nn.Parameter(module[0].weight.data)  # another object with the same parameters
    assert costcalc.analyze(module, input=(8,)).totals["params"] == 64


class Late(nn.Module):
    """A lazy layer, and a layer whose weight is computed before each call."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.LazyLinear(8), nn.utils.weight_norm(nn.Conv1d(8, 4, 3))

    def forward(self, x):
        return self.last(self.first(x).transpose(1, 2))


EXAMPLES = {"8x8x4": (1, 4, 8, 8), "10x16": (1, 10, 16)}
LATE = {  # a function that creates a module, its input, its mult-adds by hand
    "a lazy convolution": (lambda: nn.LazyConv2d(8, 3), "8x8x4", 36 * 288),
    "a lazy network": (
        lambda: nn.Sequential(nn.LazyConv2d(8, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(10)),
        "8x8x4",
        36 * 288 + 2880,
    ),
    "the older weight_norm": (lambda: nn.utils.weight_norm(nn.Linear(16, 8)), "10x16", 1280),
    "both": (Late, "10x16", 10 * 16 * 8 + 8 * 4 * 8 * 3),
}


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", LATE)
def test_modules_that_are_not_whole_before_a_call(name):
    make, input, due = LATE[name]
    module, called = make(), make()
    report = costcalc.analyze(module, input=input, convention="framework")
    assert any(map(nn.parameter.is_lazy, module.parameters())) == ("lazy" in name or name == "both")
    called(torch.zeros(EXAMPLES[input]))
    assert report.totals == {"mult_adds": due, "params": sum(one.numel() for one in called.parameters())}
    assert report.complete


FUNCTIONS = {
    "compare": lambda module: costcalc.compare(module, "mobilenet", input="16x16x3").left.totals["cost"],
    "diff": lambda module: costcalc.diff(module, small(), input="16x16x3").right.totals["cost"],
    "explain": lambda module: costcalc.explain(module, input="16x16x3").report.totals["mult_adds"],
    "reconcile": lambda module: costcalc.reconcile(module, "paper", "flops", input="16x16x3").totals[0],
    "import_": lambda module: costcalc.analyze(costcalc.import_(module, input="16x16x3")).totals["mult_adds"],
    "export": lambda module: COST if "Conv2d" in costcalc.export(module, to="torch", input="16x16x3").content else 0,
    "check": lambda module: costcalc.check(module, input="16x16x3", max={"mult_adds": "1M"})[0].verdicts[0].now,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_takes_a_module(name):
    assert FUNCTIONS[name](small()) == COST


def test_what_is_missing_is_said():
    with pytest.raises(TypeError, match=r"`input` is missing.*channels last"):
        costcalc.analyze(small())
    with pytest.raises(TypeError, match=r"the class `Tied` is not a network.*the module itself"):
        costcalc.analyze(Tied)
    with pytest.raises(TypeError, match="`input` cannot be"):
        costcalc.analyze(small(), input=3.5)


@pytest.mark.parametrize("input", ["3x16x16", (3, 16, 16)])
def test_channels_first_are_explained(input):
    with pytest.raises(costcalc.CostcalcError, match=r"channels last.*16x16x3"):
        costcalc.analyze(small(), input=input)


def test_the_memory_of_a_module_by_hand():
    layers = [torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
    net = torch.nn.Sequential(*layers, torch.nn.Flatten(), torch.nn.Linear(128, 10))
    found = costcalc.memory(net, input=(8, 8, 3), bits=8)
    assert found.peak_bytes == found.arena_bytes == 8 * 8 * 3 + 8 * 8 * 8
    totals = costcalc.analyze(net, input=(8, 8, 3), metrics=["peak_bytes", "bops"]).totals
    assert (totals["peak_bytes"], totals["bops"]) == (4 * 704, (64 * 27 * 8 + 1280) * 1024)
    assert costcalc.memory(net, input=(8, 8, 3), policy="unfused").peak_bytes == 4 * 2 * 512


@pytest.mark.parametrize(("kind", "size"), [("float16", 2), ("bfloat16", 2), ("float32", 4), ("float64", 8)])
def test_types_set_the_bits(kind, size):
    """A 3x3 convolution from 3 to 8 channels on 32x32 values, with PyTorch's element sizes."""
    kind = getattr(torch, kind)
    module, x = torch.nn.Conv2d(3, 8, 3, padding=1).to(kind), torch.zeros(1, 3, 32, 32, dtype=kind)
    held = sum(one.numel() * one.element_size() for one in module.parameters())
    found = costcalc.analyze(module, input=x, convention="framework", metrics=["weights_bytes", "peak_bytes"]).totals
    assert (found["weights_bytes"], found["peak_bytes"]) == (held, (3 + 8) * 32 * 32 * size)


def test_types_of_one_module_differ():
    class Mixed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.norm = torch.nn.Embedding(100, 16), torch.nn.LayerNorm(16)
            self.head = torch.nn.Linear(16, 4).half()

        def forward(self, ids):
            return self.head(self.norm(self.table(ids)).half())

    module, ids = Mixed(), torch.zeros(1, 10, dtype=torch.int64)
    held = sum(one.numel() * one.element_size() for one in module.parameters())
    assert (
        costcalc.analyze(module, input=ids, convention="framework", metrics=["weights_bytes"]).totals["weights_bytes"]
        == held
    )
    live = [one.bytes for one in costcalc.memory(module, input=ids).schedule]
    assert live == [10 * 8 + 640, 640 + 640, 640 + 320, 320 + 80]


class Turned(nn.Module):
    """A product of complex numbers with a matrix and with its conjugate transpose."""

    def __init__(self):
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(8, 4, dtype=torch.complex64))

    def forward(self, x):
        return x @ self.matrix @ self.matrix.mH


def test_complex_numbers():
    module, x = Turned(), torch.randn(1, 9, 8, dtype=torch.complex64)
    with FlopCounterMode(display=False) as counted:
        module(x)
    for input in (x, "9x8:complex64"):
        report = costcalc.analyze(module, input=input)
        assert report.complete
        assert report.totals == {"mult_adds": counted.get_total_flops() // 2, "params": 2 * module.matrix.numel()}


@pytest.mark.parametrize("size", [(), (8,)], ids=str)
def test_inputs_without_a_batch(size):
    """A scalar and a vector: their errors must not mention swapped axes."""
    module = nn.PReLU()
    assert costcalc.analyze(module, input=torch.zeros(size), convention="framework").totals["params"] == 1
    with pytest.raises(costcalc.CostcalcError, match="cannot be exported"):
        costcalc.analyze(nn.Conv2d(3, 8, 3), input=torch.zeros(size))


class Detached(torch.nn.Linear):
    """Detaches its weight from the graph with `.data`."""

    def forward(self, x):
        return x @ self.weight.data


class Branches(torch.nn.Linear):
    """Branches on input values."""

    def forward(self, x):
        return super().forward(x) if x.sum() > 0 else x


class Anchored(torch.nn.Linear):
    """Stores tensors as plain attributes, directly and in a list."""

    def __init__(self):
        super().__init__(8, 8)
        self.anchors, self.steps = torch.ones(8, 4), [torch.ones(4), 2]

    def forward(self, x):
        return super().forward(x) @ self.anchors * self.steps[0]


def test_tensors_that_are_plain_attributes_are_no_parameters():
    module = Anchored()
    report = costcalc.analyze(module, input=[(1, 8)], convention="framework")
    assert (report.complete, report.totals) == (True, {"mult_adds": 64 + 32, "params": 72})
    assert module.anchors.device.type == "cpu"


@pytest.mark.parametrize(("kind", "help"), [(Detached, ".detach()"), (Branches, "use an argument instead")])
def test_what_no_export_follows_is_said_with_a_way_out(kind, help):
    with pytest.raises(costcalc.CostcalcError, match="cannot be exported") as caught:
        costcalc.analyze(kind(8, 8), input=[(1, 8)])
    assert help in caught.value.problems[0].help
