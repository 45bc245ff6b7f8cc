"""Rare PyTorch operators: their counts in the report and in the written spec.

Parameters are `sum(p.numel())`. Mult-adds are half of FlopCounterMode if it has a formula, and are counted by
hand beside it.
"""

import pytest

from tests.written import assert_spec_costs_the_same

torch = pytest.importorskip("torch", reason="torch is not installed: costcalc[torch]")
F, nn = torch.nn.functional, torch.nn
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


class Applied(nn.Module):
    """A function of the input, of layers, and of parameters of the given shapes."""

    def __init__(self, function, layers=(), shapes=(), dtype=torch.float32):
        super().__init__()
        self.function, self.layers = function, nn.ModuleList(layers)
        self.numbers = nn.ParameterList(nn.Parameter(torch.ones(one, dtype=dtype)) for one in shapes)

    def forward(self, *inputs):
        return self.function(*inputs, *self.layers, *self.numbers)


def model(module, shapes, dtype=torch.float32):
    """The model of a module for inputs of these shapes."""
    from costcalc.read.torch import reader

    with torch.device("meta"):
        inputs = tuple(torch.empty(one, dtype=dtype, device="meta") for one in shapes)
        program = torch.export.export(module.to("meta").eval(), inputs, strict=False)
    return reader.read(program, "net", "net")


def counted(module, shapes, dtype=torch.float32):
    """(parameters, mult-adds) of a module; checks that totals are complete and its written spec costs the same."""
    from costcalc import analyze

    read = model(module, shapes, dtype)
    report = analyze(read, convention="framework")
    assert report.complete
    assert report.accounting.is_closed
    totals, _ = assert_spec_costs_the_same(read)
    assert totals == report.totals
    return totals["params"], totals["mult_adds"]


def measured(module, shapes, dtype=torch.float32):
    """(parameters, mult-adds) by PyTorch: half of FlopCounterMode, with the plain attention kernel."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    inputs = [torch.zeros(one, dtype=dtype) for one in shapes]
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        module.eval()(*inputs)
    return sum(one.numel() for one in module.parameters()), counter.get_total_flops() // 2


def recurrence(kind):
    """A cell with a given state."""
    return lambda x, h, cell: cell(x, (h, h)) if kind == "LSTM" else cell(x, h)


def experts_by_loop(x, gate, *experts):
    weight, chosen = gate(x).softmax(-1).topk(2, -1)
    result = torch.zeros_like(x)
    for number, expert in enumerate(experts):
        token, place = torch.where(chosen == number)
        result.index_add_(0, token, expert(x[token]) * weight[token, place, None])
    return result


def turned(x, query):
    """Rotary positions by complex numbers."""
    pairs = torch.view_as_complex(query(x).reshape(1, 10, 4, 8, 2))
    angle = torch.arange(10, device=x.device, dtype=x.dtype)[:, None] * torch.ones(8, device=x.device)
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angle), angle)[:, None]).flatten(2)


SDPA = F.scaled_dot_product_attention
EMPTY = lambda x: torch.empty(0, device=x.device)  # noqa: E731

MEASURED = {  # input, the function, layers, shapes of parameters, mult-adds by hand
    "an empty vector in a concat": ([(1, 16, 8)], lambda x: torch.cat([EMPTY(x), x], dim=-2).relu(), [], [], 0),
    "empty vectors and two tensors": (
        [(1, 16, 8)],
        lambda x, layer: torch.cat([EMPTY(x), layer(x), x, EMPTY(x)], dim=-2),
        [lambda: nn.Linear(8, 8)],
        [],
        16 * 64,
    ),
    "inner": ([(1, 16, 32)], torch.inner, [], [(8, 32)], 16 * 32 * 8),
    "inner of three axes": ([(6, 32)], torch.inner, [], [(2, 4, 32)], 6 * 8 * 32),
    "one sample in a conv": ([(3, 8, 8)], lambda x, conv: conv(x), [lambda: nn.Conv2d(3, 8, 3)], [], 36 * 216),
    "one sequence in a conv": ([(3, 8)], lambda x, conv: conv(x), [lambda: nn.Conv1d(3, 8, 3)], [], 6 * 72),
    "one sample in a transposed conv": (
        [(3, 8, 8)],
        lambda x, conv: conv(x).relu(),
        [lambda: nn.ConvTranspose2d(3, 8, 2, stride=2)],
        [],
        64 * 96,
    ),
    "attention of matrices": ([(5, 8), (16, 8), (16, 4)], SDPA, [], [], 5 * 16 * 12),
    "attention of stacks": ([(4, 5, 8), (4, 16, 8), (4, 16, 4)], SDPA, [], [], 4 * 5 * 16 * 12),
    "queries of one head": ([(1, 1, 5, 8), (1, 4, 16, 8)], lambda q, k: SDPA(q, k, k), [], [], 4 * 5 * 16 * 16),
    "learned queries of one head": ([(1, 4, 16, 8)], lambda k, q: SDPA(q, k, k), [], [(1, 1, 5, 8)], 4 * 5 * 16 * 16),
    "queries without heads": ([(5, 8), (1, 4, 16, 8)], lambda q, k: SDPA(q, k, k), [], [], 4 * 5 * 16 * 16),
    "keys of one head": ([(1, 4, 5, 8), (1, 1, 16, 8)], lambda q, k: SDPA(q, k, k), [], [], 4 * 5 * 16 * 16),
    "values of more heads": (
        [(1, 4, 5, 8), (1, 1, 16, 8), (1, 4, 16, 8)],
        SDPA,
        [],
        [],
        2 * 4 * 5 * 16 * 8,
    ),
    "queries of one batch": ([(1, 2, 5, 8), (3, 2, 16, 8)], lambda q, k: SDPA(q, k, k), [], [], 3 * 2 * 5 * 16 * 16),
    "complex rotary positions": ([(1, 10, 64)], turned, [lambda: nn.Linear(64, 64)], [], 10 * 64 * 64),
    "one layer three times": (
        [(1, 16, 32)],
        lambda x, one: one(one(one(x))),
        [lambda: nn.Linear(32, 32)],
        [],
        48 * 1024,
    ),
    "nothing": ([(1, 16, 8)], lambda x: x, [], [], 0),
    "LSTM cell": ([(3, 32), (3, 24)], recurrence("LSTM"), [lambda: nn.LSTMCell(32, 24)], [], 3 * 4 * 24 * 56),
    "GRU cell": ([(3, 32), (3, 24)], recurrence("GRU"), [lambda: nn.GRUCell(32, 24)], [], 3 * 3 * 24 * 56),
    "RNN cell": ([(3, 32), (3, 24)], recurrence("RNN"), [lambda: nn.RNNCell(32, 24)], [], 3 * 24 * 56),
    "RNN cell of ReLU": (
        [(1, 32)],
        lambda x, cell: cell(x),
        [lambda: nn.RNNCell(32, 24, bias=False, nonlinearity="relu")],
        [],
        24 * 56,
    ),
    "tensordot": ([(1, 8, 8, 16)], lambda x, w: torch.tensordot(x, w, dims=1), [], [(16, 32)], 64 * 16 * 32),
    "tensordot of two axes": (
        [(1, 5, 3, 4)],
        lambda x, w: torch.tensordot(x, w, dims=([3, 2], [0, 1])),
        [],
        [(4, 3, 6)],
        5 * 12 * 6,
    ),
    "einsum of three": (
        [(1, 7, 16)],
        lambda x, a, b: torch.einsum("btc,cr,ro->bto", x, a, b),
        [],
        [(16, 2), (2, 8)],
        7 * (16 * 2 + 2 * 8),
    ),
    "multi_dot": (
        [(10, 40)],
        lambda x, a, b: torch.linalg.multi_dot([x, a, b]),
        [],
        [(40, 20), (20, 5)],
        40 * 20 * 5 + 10 * 40 * 5,
    ),
    "outer": ([(6,)], torch.outer, [], [(4,)], 0),
    "addr": ([(6,), (4,)], lambda x, y, a: torch.addr(a, x, y), [], [(6, 4)], 0),
    "fft": ([(1, 16, 8)], lambda x, layer: layer(torch.fft.rfft2(x).real), [lambda: nn.Linear(5, 3)], [], 16 * 15),
    "filters of frequencies": (
        [(1, 16, 8)],
        lambda x, w: torch.fft.irfft(torch.fft.rfft(x, dim=1) * w, n=16, dim=1),
        [],
        [(9, 8)],
        0,
    ),
    "stft": (
        [(1, 400)],
        lambda x: torch.stft(x, 64, window=torch.ones(64, device=x.device), return_complex=True).abs(),
        [],
        [],
        0,
    ),
    "max_unpool": (
        [(1, 4, 8, 8)],
        lambda x, conv: conv(F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2)),
        [lambda: nn.Conv2d(4, 2, 1)],
        [],
        64 * 8,
    ),
}


@pytest.mark.parametrize("name", MEASURED)
def test_counts_are_those_of_torch_and_by_hand(name):
    inputs, function, layers, shapes, due = MEASURED[name]
    make = lambda: Applied(function, [one() for one in layers], shapes)  # noqa: E731
    params, mult_adds = measured(make(), inputs)
    assert mult_adds == due
    assert counted(make(), inputs) == (params, due)


BY_HAND = {  # not counted by FlopCounterMode
    "inner of a vector": ([(1, 16, 32)], lambda: Applied(torch.inner, (), [(32,)]), 16 * 32),
    "addmv": ([(6,)], lambda: Applied(lambda x, a, m: torch.addmv(a, m, x), (), [(4,), (4, 6)]), 24),
    "addbmm": (
        [(5, 3, 4), (5, 4, 2)],
        lambda: Applied(lambda x, y, a: torch.addbmm(a, x, y), (), [(3, 2)]),
        5 * 3 * 4 * 2,
    ),
    "multi_dot of vectors": (
        [(6,)],
        lambda: Applied(lambda x, a, b: torch.linalg.multi_dot([x, a, b]), (), [(6, 4), (4,)]),
        6 * 4 + 4,
    ),
    "bilinear": ([(3, 8), (3, 12)], lambda: nn.Bilinear(8, 12, 5), 3 * 5 * 8 * 12),
    "bilinear of vectors": ([(8,), (12,)], lambda: nn.Bilinear(8, 12, 5, bias=False), 5 * 8 * 12),
    "grouped rows": (
        [(16, 32)],
        lambda: Applied(lambda x, w: torch._grouped_mm(x, w, offs=ENDS(x, 2, 17)), (), [(8, 32, 8)], torch.bfloat16),
        16 * 32 * 8,
    ),
    "grouped stacks": (
        [(8, 4, 32)],
        lambda: Applied(torch._grouped_mm, (), [(8, 32, 8)], torch.bfloat16),
        8 * 4 * 32 * 8,
    ),
    "grouped rows of two that flow": (
        [(16, 32), (8, 32, 8)],
        lambda: Applied(lambda x, w: torch._grouped_mm(x, w, offs=ENDS(x, 2, 17))),
        16 * 32 * 8,
    ),
    "grouped rows of eight bits": (
        [(16, 32)],
        lambda: Applied(scaled_groups, (), [(8, 16, 32)], torch.bfloat16),
        16 * 32 * 16,
    ),
    "grouped sums": (
        [(16, 64), (64, 24)],
        lambda: Applied(lambda x, w: torch._grouped_mm(x, w, offs=ENDS(x, 8, 65))),
        16 * 64 * 24,
    ),
}


def ENDS(x, step, end):
    """The end of each group."""
    return torch.arange(step, end, step, dtype=torch.int32, device=x.device)


def scaled_groups(x, w):
    """Groups of rows times a matrix each, both in 8 bits with a scale per row and column."""
    whole, weight = x.to(torch.float8_e4m3fn), w.to(torch.float8_e4m3fn).transpose(-2, -1)
    scales = torch.ones(x.shape[0], device=x.device), torch.ones(w.shape[:2], device=x.device)
    return torch._scaled_grouped_mm(whole, weight, *scales, offs=ENDS(x, 2, 17), out_dtype=torch.bfloat16)


@pytest.mark.parametrize("name", BY_HAND)
def test_counts_are_those_by_hand(name):
    inputs, make, due = BY_HAND[name]
    dtype = torch.bfloat16 if name.startswith("grouped") else torch.float32
    params = sum(one.numel() for one in make().parameters())
    assert counted(make(), inputs, dtype) == (params, due)


def test_bags_of_embeddings_are_rows_of_a_table():
    module = nn.EmbeddingBag(100, 8, mode="sum")
    assert counted(module, [(1, 6)], torch.int64) == (800, 0)
    bags = Applied(lambda x, bag: bag(x.flatten(), torch.zeros(2, dtype=torch.int64, device=x.device)), [module])
    assert counted(bags, [(6,)], torch.int64) == (800, 0)


def test_einsums_follow_the_path_of_torch():
    pytest.importorskip("opt_einsum")
    module = Applied(lambda x, a, b: torch.einsum("btc,cr,ro->bto", x, a, b), (), [(16, 32), (32, 2)])
    params, mult_adds = measured(module, [(1, 70, 16)])
    assert counted(module, [(1, 70, 16)]) == (params, mult_adds)


def test_a_layer_of_experts_by_loop_is_a_lower_bound_with_all_parameters():
    from costcalc import analyze

    module = Applied(experts_by_loop, [nn.Linear(32, 4, bias=False), *(nn.Linear(32, 32) for _ in range(4))])
    report = analyze(model(module, [(16, 32)]), convention="framework")
    assert not report.complete
    assert report.totals == {"params": 128 + 4 * 1056, "mult_adds": 16 * 128}
    assert report.accounting.is_closed


def test_layers_that_find_their_sizes_at_the_first_call():
    from costcalc import analyze
    from costcalc.read.torch import program, reader

    for target, shape, due in (
        ("torch.nn:LazyConv2d", (1, 4, 8, 8), (296, 36 * 288)),
        ("torch.nn:LazyLinear", (1, 16), (17 * 8, 128)),
    ):
        kwargs = {"out_channels": 8, "kernel_size": 3} if "Conv" in target else {"out_features": 8}
        read = reader.read(program.exported(target, [(shape, "float32")], kwargs), "net", "net")
        totals = analyze(read, convention="framework").totals
        assert (totals["params"], totals["mult_adds"]) == due


ADDRESS = "0x"


def test_labels_hold_no_addresses():
    from costcalc import analyze

    @torch.library.custom_op("costcalc_test::mine", mutates_args=())
    def mine(x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    mine.register_fake(torch.empty_like)
    looped = lambda x: torch.cond(x.sum() > 0, lambda x: x + 1, lambda x: x - 1, (x,))  # noqa: E731
    for function in (mine, looped, lambda x: torch.linalg.qr(x)[0]):
        report = analyze(model(Applied(function), [(4, 8)]))
        assert not report.complete
        said = [text for line in report.lines for text in (line.name, line.type, line.op)]
        assert [text for text in said if ADDRESS in text] == []


@pytest.mark.parametrize(("queries", "keys"), [(4, 10), (10, 4), (6, 6), (1, 9)])
def test_a_causal_mask_is_aligned_as_pytorch_aligns_it(queries, keys):
    from costcalc.model.trace import trace

    read = model(Applied(lambda q, k: SDPA(q, k, k, is_causal=True)), [(1, 2, queries, 8), (1, 2, keys, 8)])
    masked = SDPA(torch.zeros(queries, 1), torch.zeros(keys, 1), torch.eye(keys), is_causal=True) == 0
    (row,) = (row for row in trace(read, {}).rows if row.op.name == "attend")
    assert row.layer.terms["mac_masked"] == int(masked.sum()) * 2 * 16
    assert row.layer.terms["mac_attention"] + row.layer.terms["mac_masked"] == queries * keys * 2 * 16
    assert_spec_costs_the_same(read)


POOLS = {
    "maximum": (lambda x: F.max_pool2d(x, 2), (3, 8, 8)),
    "maximum of a sequence": (lambda x: F.max_pool1d(x, 2), (3, 8)),
    "mean": (lambda x: F.avg_pool3d(x, 2), (3, 8, 8, 8)),
    "whole grid": (lambda x: F.adaptive_avg_pool2d(x, 1), (3, 8, 8)),
}


@pytest.mark.parametrize(("function", "shape"), POOLS.values(), ids=POOLS)
def test_pools_of_one_sample_are_those_of_a_batch_of_one(function, shape):
    head = [nn.Linear(function(torch.zeros(shape)).shape[-1], 5)]
    rows = function(torch.zeros(shape)).numel() // head[0].in_features
    module = Applied(lambda x, layer: layer(function(x)), head)
    assert counted(module, [shape])[1] == counted(module, [(1, *shape)])[1] == rows * head[0].in_features * 5


def test_a_product_of_vectors_of_weights_is_counted():
    assert counted(Applied(lambda x, a, b: x * torch.vdot(a, b), shapes=[(8,), (8,)]), [(8,)]) == (16, 8)


def test_an_einsum_takes_a_diagonal():
    assert counted(Applied(lambda x: torch.einsum("ii->i", x)), [(5, 5)]) == (0, 0)
    product = Applied(lambda x, w: torch.einsum("iij,jk->ik", x, w), shapes=[(3, 4)])
    assert counted(product, [(5, 5, 3)]) == measured(product, [(5, 5, 3)]) == (12, 5 * 3 * 4)


SUMMED_FIRST = {  # the equation and the input shapes
    "b...i,...j->b": ((1, 5, 8), (1, 5, 3)),
    "bti,bsi->b": ((1, 5, 8), (1, 6, 8)),
    "btit,bsi->bs": ((1, 5, 8, 5), (1, 6, 8)),
    "bti,bsi,bui->bt": ((1, 5, 8), (1, 6, 8), (1, 4, 8)),
    "bij,bij->bi": ((1, 5, 1), (1, 5, 8)),  # one element along j, which broadcasts
    "bijk,bljk->bi": ((1, 5, 1, 4), (1, 6, 8, 4)),
    "bijk,bijk->bj": ((1, 1, 3, 4), (1, 5, 3, 4)),
}


@pytest.mark.parametrize("equation", SUMMED_FIRST)
def test_what_one_tensor_of_an_einsum_sums_alone_is_summed_before(equation):
    module = Applied(lambda *given: torch.einsum(equation, *given))
    assert counted(module, SUMMED_FIRST[equation]) == measured(module, SUMMED_FIRST[equation])


def test_a_sum_over_weights_of_an_einsum_keeps_their_count():
    module = Applied(lambda x, w: torch.einsum("bti,ij->bt", x, w), shapes=[(8, 3)])
    assert counted(module, [(1, 5, 8)]) == measured(module, [(1, 5, 8)]) == (24, 40)


COMPOSED = {  # functions that PyTorch composes of others
    "arctan": lambda x, w: torch.arctan(x) * torch.arctan(w),
    "absolute": lambda x, w: torch.absolute(x) + torch.negative(w),
    "hstack": lambda x, w: torch.hstack([x, w]),
    "comparison": lambda x, w: torch.greater(x, w) | torch.less_equal(x, w),
    "cosine_similarity": lambda x, w: F.cosine_similarity(x[:, None], w[None], dim=-1),
    "kron": lambda x, w: x @ torch.kron(w[:2, :2], w[:4, :4]),
    "block_diag": lambda x, w: x @ torch.block_diag(w[:4, :4], w[4:, 4:]),
    "matrix_power": lambda x, w: x @ torch.matrix_power(w, 3),
    "vecdot": torch.linalg.vecdot,
    "norms": lambda x, w: x / torch.linalg.norm(w) + torch.linalg.matrix_norm(x),
    "trace": lambda x, w: x * torch.trace(w),
    "cross_entropy": lambda x, w: F.cross_entropy(x @ w, torch.zeros(8, dtype=torch.int64, device=x.device)),
    "mse_loss": F.mse_loss,
    "a place by data": lambda x, w: x[x.argmax() % 2] @ w,
    "a factor by data": lambda x, w: (x @ w) * x.max().item(),
    "masked_scatter": lambda x, w: x.masked_scatter(x > 0, w) @ w,
    "median": lambda x, w: x * w.median() + w.kthvalue(2)[0],
    "scatter_reduce": lambda x, w: (
        x @ w.scatter_reduce(0, torch.zeros(8, 8, dtype=torch.int64, device=x.device), w, "amax")
    ),
    "windows": lambda x, w: (x * torch.blackman_window(8, device=x.device))[torch.randperm(8, device=x.device)] @ w,
}


@pytest.mark.parametrize("name", COMPOSED)
def test_functions_that_are_composed_of_known_ones_are_known(name):
    module = Applied(COMPOSED[name], shapes=[(8, 8)])
    due = measured(module, [(8, 8)])
    assert counted(module, [(8, 8)]) == due


@pytest.mark.parametrize("function", [lambda x: torch.cdist(x, x), torch.linalg.pinv])
def test_functions_that_are_partly_unknown_are_lower_bounds_by_their_own_names(function):
    from costcalc import analyze

    report = analyze(model(Applied(function), [(40, 40)]), convention="framework")
    assert not report.complete
    assert [line.type for line in report.lines if not line.complete] in (["opaque: cdist"], ["opaque: linalg_pinv"])


ALONE = (
    *("asinh", "acosh", "atanh", "erfc", "lgamma", "digamma", "logit", "sinc", "i0", "deg2rad", "rad2deg", "positive"),
    *("nan_to_num", "isfinite", "isposinf", "isneginf", "signbit", "diag"),
    *("special.erfcx", "special.entr", "special.i0e", "special.i1", "special.i1e", "special.ndtr", "special.ndtri"),
)
BESIDE = (
    *("copysign", "hypot", "heaviside", "float_power", "nextafter", "xlogy", "logaddexp", "logaddexp2", "fmax", "fmin"),
    *("isclose", "ldexp", "special.xlog1py", "special.zeta"),
)


@pytest.mark.parametrize("name", [*ALONE, *BESIDE])
def test_functions_of_elements_have_no_mult_adds_and_lose_no_parameter(name):
    from costcalc import analyze

    space, _, own = name.rpartition(".")
    function = getattr(torch.special if space else torch, own)
    apply = (lambda x, a: x + function(a)) if name in ALONE else (lambda x, a, b: x + function(a, b))
    if name == "diag":
        apply = lambda x, a: x + function(a[0])  # noqa: E731
    report = analyze(
        model(Applied(apply, (), [(8, 8)] * (1 if name in ALONE else 2)), [(8, 8)]), convention="framework"
    )
    assert (report.complete, report.accounting.is_closed) == (True, True)
    assert report.totals == {"params": 64 if name in ALONE else 128, "mult_adds": 0}
