"""No parameter of a module is lost: those in rows and unread ones sum to `sum(p.numel())`.

Parameters and mult-adds are counted by hand; all modules are built on the meta device.
"""

import pytest

from costcalc import analyze

torch = pytest.importorskip("torch", reason="torch is not installed: costcalc[torch]")
F = torch.nn.functional
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


class Applied(torch.nn.Module):
    """A function of the input, of parameters of the given shapes, and of layers."""

    def __init__(self, function, shapes=(), layers=(), dtype=torch.float32):
        super().__init__()
        self.function, self.layers = function, torch.nn.ModuleList(layers)
        self.numbers = torch.nn.ParameterList(torch.nn.Parameter(torch.empty(one, dtype=dtype)) for one in shapes)

    def forward(self, *inputs):
        return self.function(*inputs, *self.layers, *self.numbers)


def read(module, *inputs):
    """The report of a module under the convention of frameworks."""
    from costcalc.read.torch import reader

    with torch.device("meta"):
        program = torch.export.export(module.to("meta").eval(), inputs, strict=False)
    return analyze(reader.read(program, "net", "net"), convention="framework")


def flowing(*shape, dtype=torch.float32):
    return torch.empty(shape, dtype=dtype, device="meta")


def held(module):
    """The number of parameter values of a module, each once; complex values count as two."""
    return sum(one.numel() * (2 if one.is_complex() else 1) for one in module.parameters())


def check(report, module, unread=0):
    found = report.accounting
    assert (found.in_rows, found.unread, found.stored.total) == (held(module) - unread, unread, held(module))
    assert found.is_closed
    assert report.totals["params"] == held(module) - unread


def seen_before(p):
    """Views of zeros created before a parameter was written into a part of them."""
    zeros = torch.zeros(8, 8, device="meta")
    view = zeros.view(64).view(8, 8)
    zeros[:4] = p
    return view


def filled(p, part, write=torch.Tensor.copy_):
    """Zeros with a parameter written into a part of them."""
    zeros = torch.zeros(8, 8, device="meta")
    write(part(zeros), p)
    return zeros


ALONE = {  # operators on a parameter, before a layer reads it
    "slice": ((8, 8), lambda p: p[:2]),
    "narrow": ((8, 8), lambda p: p.narrow(0, 1, 2)),
    "select": ((8, 8), lambda p: p[3]),
    "step": ((8, 8), lambda p: p[::2]),
    "index": ((8, 8), lambda p: p[torch.tensor([1, 2, 2], device="meta")]),
    "index_select": ((8, 8), lambda p: p.index_select(0, torch.zeros(2, dtype=torch.int64, device="meta"))),
    "gather": ((8, 8), lambda p: p.gather(0, torch.zeros(1, 8, dtype=torch.int64, device="meta"))),
    "take_along_dim": ((8, 8), lambda p: p.take_along_dim(torch.zeros(1, 8, dtype=torch.int64, device="meta"), 0)),
    "embedding": ((8, 8), lambda p: F.embedding(torch.arange(3, device="meta"), p)),
    "chunk": ((8, 8), lambda p: p.chunk(4)[1]),
    "split": ((8, 8), lambda p: p.split(3)[0]),
    "unbind": ((8, 8), lambda p: p.unbind(0)[2]),
    "diagonal": ((8, 8), lambda p: p.diagonal()),
    "tril": ((8, 8), lambda p: p.tril()),
    "triu": ((8, 8), lambda p: p.triu()),
    "cat": ((8, 8), lambda p: torch.cat([p, p[:1]])),
    "cat with zeros": ((8, 8), lambda p: torch.cat([torch.zeros(1, 8, device="meta"), p])),
    "stack": ((8, 8), lambda p: torch.stack([p, p])),
    "pad": ((8, 8), lambda p: F.pad(p, (1, 1))),
    "roll": ((8, 8), lambda p: p.roll(1, 0)),
    "flip": ((8, 8), lambda p: p.flip(0)),
    "transpose": ((8, 4), lambda p: p.t()),
    "permute": ((8, 4, 2), lambda p: p.permute(2, 0, 1)),
    "reshape": ((8, 4), lambda p: p.reshape(2, 16)),
    "expand": ((1, 8), lambda p: p.expand(4, 8)),
    "repeat": ((1, 8), lambda p: p.repeat(4, 1)),
    "repeat_interleave": ((2, 8), lambda p: p.repeat_interleave(2, 0)),
    "interpolate": ((1, 4, 4, 4), lambda p: F.interpolate(p, size=(7, 7), mode="bicubic")),
    "nearest": ((1, 4, 4, 4), lambda p: F.interpolate(p, scale_factor=2)),
    "max_pool": ((1, 4, 4, 4), lambda p: F.max_pool2d(p, 2)),
    "avg_pool": ((1, 4, 4, 4), lambda p: F.avg_pool2d(p, 2)),
    "adaptive": ((1, 4, 4, 4), lambda p: F.adaptive_avg_pool2d(p, 1)),
    "softmax": ((8,), lambda p: p.softmax(0)),
    "log_softmax": ((8,), lambda p: p.log_softmax(0)),
    "sigmoid": ((8,), lambda p: p.sigmoid()),
    "exp": ((), lambda p: p.exp()),
    "clamp": ((8,), lambda p: p.clamp(0, 1)),
    "erf": ((8,), lambda p: p.erf()),
    "sign": ((8,), lambda p: p.sign()),
    "round": ((8,), lambda p: p.round()),
    "pow": ((8,), lambda p: p.pow(2)),
    "mean": ((8, 8), lambda p: p.mean(0)),
    "sum": ((8, 8), lambda p: p.sum()),
    "amax": ((8, 8), lambda p: p.amax(1)),
    "norm": ((8, 8), lambda p: p / p.norm(dim=1, keepdim=True)),
    "var": ((8, 8), lambda p: (p - p.mean(1, keepdim=True)) / p.var(1, keepdim=True)),
    "cumsum": ((8, 8), lambda p: p.cumsum(0)),
    "topk": ((8, 8), lambda p: p.topk(2)[0]),
    "sort": ((8, 8), lambda p: p.sort()[0]),
    "layer_norm": ((8, 8), lambda p: F.layer_norm(p, (8,))),
    "batch_norm": ((1, 8, 4), lambda p: F.batch_norm(p, None, None, training=True)),
    "group_norm": ((1, 8, 4), lambda p: F.group_norm(p, 2)),
    "normalize": ((8, 8), lambda p: F.normalize(p, dim=1)),
    "glu": ((8, 8), lambda p: F.glu(p)),
    "where": ((8, 8), lambda p: torch.where(torch.ones(8, 8, dtype=torch.bool, device="meta"), p, 0.0)),
    "masked_fill": ((8, 8), lambda p: p.masked_fill(torch.ones(8, 8, dtype=torch.bool, device="meta"), 0.0)),
    "lerp": ((8, 8), lambda p: torch.zeros(8, 8, device="meta").lerp(p, 0.5)),
    "maximum": ((8, 8), lambda p: p.maximum(torch.zeros(8, device="meta"))),
    "clone": ((8, 8), lambda p: p.clone()),
    "to": ((8, 8), lambda p: p.to(torch.float64).to(torch.float32)),
    "fft": ((8, 8), lambda p: torch.fft.rfft(p).real),
    "complex": ((8, 8), lambda p: torch.view_as_complex(p.reshape(8, 4, 2)).abs()),
    "matmul": ((8, 8), lambda p: p @ p.t()),
    "einsum": ((8, 8), lambda p: torch.einsum("ij,kj->ik", p, p)),
    "unknown": ((8, 8), lambda p: torch.linalg.qr(p)[0]),
    "one_number of many": ((8, 8), lambda p: p[3, 4]),
    "written into a slice": ((4, 8), lambda p: filled(p, lambda zeros: zeros[:4])),
    "written into a view": ((32,), lambda p: filled(p, lambda zeros: zeros.view(-1)[:32])),
    "written below an earlier view": ((4, 8), seen_before),
    "written into a diagonal": ((8,), lambda p: filled(p, torch.diagonal)),
    "written into a row": ((8,), lambda p: filled(p, lambda zeros: zeros.t()[:, 2])),
    "added to a slice": ((4, 8), lambda p: filled(p, lambda zeros: zeros[4:], torch.Tensor.add_)),
    "sequences made as long": ((8, 8), lambda p: torch.nn.utils.rnn.pad_sequence([p, p[:3]])),
}


@pytest.mark.parametrize("name", ALONE)
def test_a_parameter_is_whole_whatever_was_done_with_it(name):
    shape, operator = ALONE[name]
    module = Applied(lambda x, p: x + operator(p).flatten()[:1].to(torch.float32), [shape])
    check(read(module, flowing(1, 6, 8)), module)


def beside(x, p):
    """Zeros with the input and a parameter written into them."""
    zeros = torch.zeros(1, 6, 8, device="meta")
    zeros[:, :4], zeros[:, 4:] = x[:, :4], p
    return zeros.relu()


WITH = {  # operators on the input and a parameter
    "where": ((8,), lambda x, p: torch.where(x > 0, p, x)),
    "maximum": ((8,), torch.maximum),
    "minimum": ((8,), torch.minimum),
    "pow": ((1,), torch.pow),
    "remainder": ((8,), torch.remainder),
    "atan2": ((8,), torch.atan2),
    "lerp": ((8,), lambda x, p: x.lerp(p, 0.5)),
    "lerp by": ((8,), lambda x, p: x.lerp(x.flip(1), p)),
    "addcmul": ((8,), lambda x, p: x.addcmul(x, p)),
    "clamp": ((8,), lambda x, p: x.clamp(min=p)),
    "compared": ((8,), lambda x, p: x * (x > p)),
    "one number": ((), torch.mul),
    "a difference": ((8,), lambda x, p: p - x),
    "a quotient": ((8,), lambda x, p: p / x),
    "cat": ((1, 1, 8), lambda x, p: torch.cat([p, x, p], 1)),
    "stack": ((1, 6, 8), lambda x, p: torch.stack([x, p])),
    "index": ((5, 8), lambda x, p: p[x[..., 0].long() % 5]),
    "index_add": ((1, 6, 8), lambda x, p: x.index_add(1, torch.arange(6, device="meta"), p)),
    "index_put": ((8,), lambda x, p: x.index_put((torch.zeros(1, dtype=torch.int64, device="meta"),), p)),
    "scatter": ((1, 6, 8), lambda x, p: x.scatter(1, torch.zeros(1, 6, 8, dtype=torch.int64, device="meta"), p)),
    "gather": ((1, 6, 8), lambda x, p: p.gather(1, x.long() % 6)),
    "grid_sample": ((1, 3, 5, 5), lambda x, p: F.grid_sample(p, x[:, None, :, :2], align_corners=True)),
    "matmul": ((8, 8), torch.matmul),
    "queries": ((1, 3, 8), lambda x, p: p @ x.transpose(1, 2)),
    "baddbmm": ((1, 6, 6), lambda x, p: torch.baddbmm(p, x, x.transpose(1, 2))),
    "einsum": ((2, 8, 8), lambda x, p: torch.einsum("btc,hcd->bhtd", x, p)),
    "mask of attention": ((6, 6), lambda x, p: F.scaled_dot_product_attention(x, x, x, attn_mask=p)),
    "keys of attention": ((1, 3, 8), lambda x, p: F.scaled_dot_product_attention(x, p, p)),
    "prelu": ((6,), lambda x, p: F.prelu(x, p)),
    "layer_norm": ((8,), lambda x, p: F.layer_norm(x, (8,), p)),
    "conv": ((4, 6, 3), F.conv1d),
    "conv_transpose": ((6, 4, 3), F.conv_transpose1d),
    "bilinear": ((4, 8, 8), lambda x, p: F.bilinear(x, x, p)),
    "cdist": ((3, 8), lambda x, p: torch.cdist(x, p[None])),
    "bucketize": ((5,), lambda x, p: torch.bucketize(x, p) + x),
    "written beside what flows": ((8,), beside),
    "given back": ((5,), lambda x, p: (x, p)),
    "given back in part": ((5,), lambda x, p: (x, p[:2])),
}


@pytest.mark.parametrize("name", WITH)
def test_a_parameter_is_in_the_row_that_reads_it(name):
    shape, operator = WITH[name]
    module = Applied(lambda x, p: operator(x.relu(), p), [shape])
    check(read(module, flowing(1, 6, 8)), module)


def test_complex_parameters_are_two_numbers_each():
    module = Applied(lambda x, p: torch.view_as_real(p)[..., 0] * x, [(8,)], dtype=torch.complex64)
    assert held(module) == 16
    check(read(module, flowing(1, 6, 8)), module)


linear, nn = torch.nn.Linear, torch.nn
SPLIT = lambda x: x.view(1, 16, 4, 8).transpose(1, 2)  # noqa: E731


def standardised(x, conv, gain):
    flat = F.batch_norm(conv.weight.reshape(1, 8, -1), None, None, weight=(gain * 0.5).view(-1), training=True)
    return F.conv2d(x, flat.reshape_as(conv.weight), conv.bias)


def experts(x, gate, up, down):
    weight, chosen = gate(x).softmax(-1).topk(2, -1)
    hidden = F.gelu(torch.einsum("btd,btkdf->btkf", x, up[chosen]))
    return (torch.einsum("btkf,btkfd->btkd", hidden, down[chosen]) * weight.unsqueeze(-1)).sum(2)


COUNTED = {  # input, layers, parameters, the function, parameters and mult-adds by hand
    "queries through a linear layer": (
        [(1, 16, 32)],
        [lambda: linear(32, 32)],
        [(10, 32)],
        lambda x, layer, q: layer(q) @ x.transpose(1, 2),
        (10 * 32 + 33 * 32, 10 * 32 * 32 + 10 * 32 * 16),
    ),
    "resized positions": (
        [(1, 8, 7, 7)],
        [lambda: nn.Conv2d(8, 8, 1)],
        [(1, 8, 4, 4)],
        lambda x, conv, p: conv(x) + F.interpolate(p, size=(7, 7), mode="bicubic"),
        (72 + 128, 49 * 64),
    ),
    "low rank": (
        [(1, 16, 32)],
        [lambda: linear(32, 8)],
        [(4, 32), (8, 4)],
        lambda x, layer, a, b: F.linear(x, layer.weight + b @ a, layer.bias),
        (264 + 128 + 32, 16 * 32 * 8 + 8 * 4 * 32),
    ),
    "one of stacked weights": ([(1, 16, 32)], [], [(3, 32, 8)], lambda x, w: x @ w[0], (768, 16 * 32 * 8)),
    "weight norm": (
        [(1, 4, 8, 8)],
        [lambda: nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 8, 3))],
        [],
        lambda x, conv: conv(x),
        (288 + 8 + 8, 36 * 288),
    ),
    "weight norm of old": (
        [(1, 10, 16)],
        [lambda: nn.utils.weight_norm(nn.Linear(16, 8, bias=False))],
        [],
        lambda x, layer: layer(x),
        (128 + 8, 1280),
    ),
    "standardised convolution": (
        [(1, 4, 8, 8)],
        [lambda: nn.Conv2d(4, 8, 3)],
        [(8, 1, 1, 1)],
        standardised,
        (288 + 16, 36 * 288),
    ),
    "a mask of attention": (
        [(1, 16, 32)],
        [],
        [(4, 16, 16)],
        lambda x, mask: F.scaled_dot_product_attention(SPLIT(x), SPLIT(x), SPLIT(x), attn_mask=mask),
        (1024, 2 * 4 * 16 * 16 * 8),
    ),
    "a learned constant": (
        [(1, 4, 4, 4)],
        [lambda: nn.Conv2d(8, 4, 3, padding=1, bias=False)],
        [(1, 8, 4, 4)],
        lambda x, conv, start: conv(start) + x,
        (288 + 128, 16 * 288),
    ),
    "queries of attention": (
        [(1, 16, 32)],
        [],
        [(1, 4, 5, 8)],
        lambda x, q: F.scaled_dot_product_attention(q, SPLIT(x), SPLIT(x)),
        (160, 2 * 4 * 5 * 16 * 8),
    ),
    "a softmax of learned numbers": (
        [(1, 16, 32)],
        [lambda: linear(32, 8)],
        [(3,)],
        lambda x, layer, mix: layer(sum(x * one for one in mix.softmax(0).unbind())),
        (264 + 3, 16 * 256),
    ),
    "a learned plane": (
        [(1, 16, 2)],
        [lambda: linear(8, 4)],
        [(1, 8, 32, 32)],
        lambda x, layer, p: layer(F.grid_sample(p, x.unsqueeze(1), align_corners=True)[:, :, 0].transpose(1, 2)),
        (8192 + 36, 16 * 32),
    ),
    "experts that are gathered": (
        [(1, 5, 32)],
        [lambda: linear(32, 8, bias=False)],
        [(8, 32, 64), (8, 64, 32)],
        experts,
        (256 + 2 * 8 * 32 * 64, 5 * 256 + 2 * 5 * 2 * 32 * 64),
    ),
    "queries of a whole attention": (
        [(1, 16, 32)],
        [lambda: nn.MultiheadAttention(32, 4, batch_first=True)],
        [(1, 4, 32)],
        lambda x, attention, q: attention(q, x, x, need_weights=False)[0],
        (4224 + 128, (2 * 4 + 2 * 16) * 1024 + 2 * 4 * 16 * 32),
    ),
    "a kernel made of a code": (
        [(1, 4, 8, 8)],
        [lambda: linear(6, 288, bias=False)],
        [(6,)],
        lambda x, make, code: F.conv2d(x, make(code).view(8, 4, 3, 3)),
        (1728 + 6, 1728 + 36 * 288),
    ),
    "positions by number": (
        [(1, 16, 8)],
        [lambda: nn.Embedding(512, 8)],
        [],
        lambda x, table: x + table(torch.arange(16, device="meta")[None]),
        (4096, 0),
    ),
    "the first positions": ([(1, 16, 8)], [], [(1, 512, 8)], lambda x, p: x + p[:, :16], (4096, 0)),
    "the first rows of a table": (
        [(1, 16, 8)],
        [lambda: nn.Embedding(512, 8)],
        [],
        lambda x, table: x + table.weight[:16],
        (4096, 0),
    ),
    "a bias as large as the result": (
        [(1, 16, 32)],
        [],
        [(32, 8), (16, 8)],
        lambda x, w, b: torch.addmm(b, x[0], w),
        (384, 4096),
    ),
}


@pytest.mark.parametrize("name", COUNTED)
def test_counts_are_those_by_hand(name):
    inputs, layers, shapes, function, due = COUNTED[name]
    module = Applied(function, shapes, [make() for make in layers])
    report = read(module, *(flowing(*one) for one in inputs))
    check(report, module)
    assert report.complete
    assert (report.totals["params"], report.totals["mult_adds"]) == due


@pytest.mark.parametrize("length", [1, 2, 16, 512])
def test_a_table_of_positions_counts_the_same_at_every_length(length):
    module = Applied(lambda x, p: x + p[:, : x.shape[1]], [(1, 512, 8)])
    report = read(module, flowing(1, length, 8))
    check(report, module)
    weights = analyze(report.model, convention="paper").totals["params"]
    assert weights == 4096


def test_tied_parameters_are_one_and_are_read():
    first, second = linear(32, 32, bias=False), linear(32, 32, bias=False)
    second.weight = first.weight
    module = Applied(lambda x, a, b: b(a(x)), [], [first, second])
    with torch.device("meta"):
        from costcalc.read.torch.program import on_meta

        report = read(on_meta(module), flowing(1, 16, 32))
    assert (report.totals["params"], report.accounting.unread, report.accounting.is_closed) == (1024, 0, True)


def test_parameters_that_no_layer_reads_are_listed():
    module = Applied(lambda x, layer, other: layer(x), [], [linear(8, 8), linear(5, 3)])
    report = read(module, flowing(1, 6, 8))
    check(report, module, unread=18)
    assert report.accounting.stored.unread == {"layers.1.weight": 15, "layers.1.bias": 3}
