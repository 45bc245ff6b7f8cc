"""Bytes that PyTorch saves for single layers, measured with its hooks, against `saved_bytes`."""

import pytest

from costcalc import training
from costcalc.errors import Source
from costcalc.read.spec.reader import read

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402
from torch.nn.attention import SDPBackend, sdpa_kernel  # noqa: E402


class Of(nn.Module):
    """A function of inputs and of modules by their letters."""

    def __init__(self, function, **modules):
        super().__init__()
        self.function, self.of = function, nn.ModuleDict(modules)

    def forward(self, *inputs):
        return self.function(self.of, *inputs)


def kept(module, inputs):
    """The bytes of all storages that a forward pass saves, without parameters and statistics."""
    held = {one.untyped_storage().data_ptr() for one in (*module.parameters(), *module.buffers())}
    found, alive = {}, []

    def pack(tensor):
        storage = tensor.untyped_storage()
        alive.append(tensor)
        if storage.data_ptr() not in held:
            found[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda one: one):
        alive.append(module(*inputs))
    return sum(found.values())


def frozen(module):
    """A module whose parameters need no gradient."""
    return module.requires_grad_(False)


def linear(inputs, outputs):
    return nn.Linear(inputs, outputs)


def conv(inputs, outputs, k=1, **more):
    return nn.Conv2d(inputs, outputs, k, **{"padding": k // 2, **more})


def heads(of, x, keys=4, size=2):
    """Attention of 4 heads by hand, with some heads sharing keys and values."""
    q, k, v = (of[name](x).view(len(x), 5, -1, size).transpose(1, 2) for name in "qkv")
    k, v = (one.repeat_interleave(4 // keys, 1) if keys < 4 else one for one in (k, v))
    return of["o"](((q @ k.transpose(-1, -2)).softmax(-1) @ v).transpose(1, 2).reshape(len(x), 5, -1))


def swapped(of, x):
    return of["b"](of["a"](x).tanh().transpose(1, 2))


TOKENS, GRID = (5, 8), (4, 8, 8)
LAYERS = [  # layers, module, input shape in PyTorch's layout
    (
        "[{conv: 3x3, out: 8, groups: 4}, gelu, {conv: 1x1, out: 3}]",
        lambda: nn.Sequential(conv(4, 8, 3, groups=4), nn.GELU(), conv(8, 3)),
        GRID,
    ),
    (
        "[{dwconv: 3x3}, batchnorm, silu, {conv: 1x1, out: 6}, prelu, {upsample: 2}, {conv: 1x1, out: 2}]",
        lambda: nn.Sequential(
            *(conv(4, 4, 3, groups=4), nn.BatchNorm2d(4), nn.SiLU(), conv(4, 6), nn.PReLU(6)),
            *(nn.Upsample(scale_factor=2), conv(6, 2)),
        ),
        GRID,
    ),
    (
        "[{conv: 1x1, out: 6}, {instancenorm: , scale: true, shift: true}, {conv: 1x1, out: 3}, instancenorm]",
        lambda: nn.Sequential(conv(4, 6), nn.InstanceNorm2d(6, affine=True), conv(6, 3), nn.InstanceNorm2d(3)),
        GRID,
    ),
    (
        "[{conv: 1x1, out: 4}, relu, {conv: 2x2, out: 2}]",
        lambda: nn.Sequential(conv(4, 4), nn.ReLU(), conv(4, 2, 2, padding="same")),
        GRID,
    ),
    (
        "[{conv: 1x1, out: 4}, relu, {conv: 3x3, out: 2, padding: [[0, 2], [1, 1]]}]",
        lambda: nn.Sequential(conv(4, 4), nn.ReLU(), nn.ZeroPad2d((1, 1, 0, 2)), conv(4, 2, 3, padding=0)),
        GRID,
    ),
    (
        "[{conv: 1x1, out: 6}, {avgpool: 8x8, padding: 0}, {maxpool: global}, {adaptive_avgpool: 1}, flatten, exp]",
        lambda: nn.Sequential(
            *(conv(4, 6), nn.AvgPool2d(8), nn.AdaptiveMaxPool2d(1), nn.AdaptiveAvgPool2d(1)),
            *(nn.Flatten(), Of(lambda of, x: x.exp())),
        ),
        GRID,
    ),
    (
        "[{conv: 3x3, out: 6}, relu, tokens, {linear: 3}]",
        lambda: Of(
            lambda of, x: of["b"](of["a"](x).relu().flatten(2).transpose(1, 2)), a=conv(4, 6, 3), b=linear(6, 3)
        ),
        GRID,
    ),
    (
        "[{conv: 1x1, out: 4}, {concat: [[relu], [{conv: 3x3, out: 2}, hswish], []]}, {conv: 1x1, out: 3}]",
        lambda: Of(
            lambda of, x: of["c"](torch.cat([(y := of["a"](x)).relu(), F.hardswish(of["b"](y)), y], 1)),
            a=conv(4, 4),
            b=conv(4, 2, 3),
            c=conv(10, 3),
        ),
        GRID,
    ),
    (
        "[{linear: 8}, tanh, {permute: [1, 0]}, {linear: 3}]",
        lambda: Of(swapped, a=linear(8, 8), b=linear(5, 3)),
        TOKENS,
    ),
    (
        "[{linear: 8}, tanh, {permute: [1, 0]}, flatten, {linear: 3}]",
        lambda: Of(
            lambda of, x: of["b"](of["a"](x).tanh().transpose(1, 2).flatten(1)), a=linear(8, 8), b=linear(40, 3)
        ),
        TOKENS,
    ),
    (
        "[{linear: 8}, {permute: [1, 0]}, sigmoid, {linear: 3}]",
        lambda: Of(lambda of, x: of["b"](of["a"](x).transpose(1, 2).sigmoid()), a=linear(8, 8), b=linear(5, 3)),
        TOKENS,
    ),
    (
        "[{mul: [[{linear: 8}], [{linear: 1}], [], [{linear: 8}]]}, {linear: 2}]",
        lambda: Of(
            lambda of, x: of["d"](of["a"](x) * of["b"](x) * x * of["c"](x)),
            a=linear(8, 8),
            b=linear(8, 1),
            c=linear(8, 8),
            d=linear(8, 2),
        ),
        TOKENS,
    ),
    (
        "[{sub: [[{linear: 8}, sigmoid], [{linear: 8}]]}, {div: [[], [{linear: 8}]]}]",
        lambda: Of(
            lambda of, x: (y := of["a"](x).sigmoid() - of["b"](x)) / of["c"](y),
            a=linear(8, 8),
            b=linear(8, 8),
            c=linear(8, 8),
        ),
        TOKENS,
    ),
    (
        "[{linear: 8}, {attention: 4, kv_heads: 2}]",
        lambda: Of(
            lambda of, x: heads(of, of["i"](x), 2),
            i=linear(8, 8),
            q=linear(8, 8),
            k=linear(8, 4),
            v=linear(8, 4),
            o=linear(8, 8),
        ),
        TOKENS,
    ),
    (
        "[{attend: [[], [{linear: 8}], [{linear: 8}]], heads: 4}, {linear: 3}]",
        lambda: Of(heads, q=nn.Identity(), k=linear(8, 8), v=linear(8, 8), o=linear(8, 3)),
        TOKENS,
    ),
    (
        "[{attend: [[], [], [{linear: 8}]], heads: 4}, {linear: 3}]",
        lambda: Of(heads, q=nn.Identity(), k=nn.Identity(), v=linear(8, 8), o=linear(8, 3)),
        TOKENS,
    ),
    (
        "[{linear: 8}, {dropout: 1}, {linear: 4}]",
        lambda: nn.Sequential(linear(8, 8), nn.Dropout(1.0), linear(8, 4)),
        TOKENS,
    ),
    (
        "[{linear: 8}, {rnn: 6, layers: 2, trained: false}]",
        lambda: Of(lambda of, x: of["b"](of["a"](x))[0], a=linear(8, 8), b=frozen(nn.RNN(8, 6, 2, batch_first=True))),
        TOKENS,
    ),
    (
        "[{linear: 8}, {gru: 6, trained: false}, layernorm]",
        lambda: Of(
            lambda of, x: of["c"](of["b"](of["a"](x))[0]),
            a=linear(8, 8),
            b=frozen(nn.GRU(8, 6, batch_first=True)),
            c=nn.LayerNorm(6),
        ),
        TOKENS,
    ),
    (
        "[{linear: 8}, {layernorm: , trained: false}, {linear: 8, trained: false}, gelu, {linear: 2}]",
        lambda: nn.Sequential(linear(8, 8), frozen(nn.LayerNorm(8)), frozen(linear(8, 8)), nn.GELU(), linear(8, 2)),
        TOKENS,
    ),
]


@pytest.mark.filterwarnings("ignore:Using padding")
@pytest.mark.parametrize(("layers", "make", "shape"), LAYERS, ids=[one[0] for one in LAYERS])
def test_what_layers_keep(layers, make, shape):
    ours = [*shape[1:], shape[0]] if len(shape) > 2 else [*shape]
    model = read(Source("n.yaml", f"input: {ours}\nlayers: {layers}\n"))
    for batch in (1, 3):
        found = training(model, batch=batch)
        assert found.complete
        assert found.totals["saved_bytes"] == kept(make(), [torch.rand(batch, *shape)])


def test_indices_of_two_tables_are_kept_once():
    spec = (
        "inputs: {ids: [6]}\nlayers: [{add: [[{embedding: 8, vocab: 9}], [{embedding: 8, vocab: 9}]]}, {linear: 3}]\n"
    )
    tables = {"a": nn.Embedding(9, 8), "b": nn.Embedding(9, 8), "c": linear(8, 3)}
    module = Of(lambda of, ids: of["c"](of["a"](ids) + of["b"](ids)), **tables)
    ours = training(read(Source("n.yaml", spec)), batch=2).totals["saved_bytes"]
    assert ours == kept(module, [torch.zeros(2, 6, dtype=torch.int64)])
    block = spec.replace("{add: ", "{layers: [{add: ").replace("]}, {linear", "]}], as: table}, {linear")
    found = training(read(Source("n.yaml", block)), batch=2, checkpoint="table")
    assert found.totals["saved_bytes"] - found.inside == ours  # a checkpointed block keeps the indices


@pytest.mark.parametrize("more", ["rotary: 2", "qk_norm: true", "relative: 8", "cache: 4"])
def test_positions_and_caches_of_attention_keep_more(more):
    spec = f"input: [5, 8]\nlayers: [{{linear: 8}}, {{attention: 2, causal: true, {more}}}]\n"
    assert not training(read(Source("n.yaml", spec))).complete


class Multihead(nn.Module):
    """nn.MultiheadAttention on one or two inputs, positions first; with the batch first it copies its inputs."""

    def __init__(self, memory=None):
        super().__init__()
        self.query, self.memory = linear(8, 8), linear(memory or 8, memory or 8)
        self.attend = nn.MultiheadAttention(8, 4, kdim=memory, vdim=memory)

    def forward(self, x, *memory):
        query = self.query(x)
        key = self.memory(*memory) if memory else query
        return self.attend(query, key, key, need_weights=False)[0]


KERNELS = {"math": SDPBackend.MATH, "fused": SDPBackend.FLASH_ATTENTION}  # as in torch 2.13


@pytest.mark.parametrize("attention", KERNELS)
@pytest.mark.parametrize(("memory", "named"), [(None, ""), (None, ", memory: m"), (8, ""), (12, "")])
def test_what_multihead_attention_keeps(memory, named, attention):
    """Equal inputs share one projection: with one input, a memory of the same width, and one of another width."""
    layers = f"[{{from: y, linear: {memory}, as: m}}, {{from: x, linear: 8}}, {{attention: 4, memory: m}}]"
    spec = f"inputs: {{x: [5, 8], y: [7, {memory}]}}\nlayers: {layers}\n"
    if memory is None:
        spec = f"input: [5, 8]\nlayers: [{{linear: 8, as: m}}, {{attention: 4{named}}}]\n"
    for batch in (1, 3):
        found = training(read(Source("n.yaml", spec)), batch=batch, attention=attention)
        inputs = [torch.rand(5, batch, 8), *([torch.rand(7, batch, memory)] if memory else [])]
        with sdpa_kernel(KERNELS[attention]):
            assert found.totals["saved_bytes"] == kept(Multihead(memory), inputs)


@pytest.mark.parametrize("attention", KERNELS)
def test_what_attention_without_projections_keeps(attention):
    def attend(of, x):
        heads = [of[name](x).unflatten(-1, (4, 2)).transpose(1, 2) for name in "qkv"]
        return F.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(-2)

    spec = "input: [5, 8]\nlayers: [{attend: [[{linear: 8}], [{linear: 8}], [{linear: 8}]], heads: 4}]\n"
    module = Of(attend, q=linear(8, 8), k=linear(8, 8), v=linear(8, 8))
    for batch in (1, 3):
        found = training(read(Source("n.yaml", spec)), batch=batch, attention=attention)
        with sdpa_kernel(KERNELS[attention]):
            assert found.totals["saved_bytes"] == kept(module, [torch.rand(batch, 5, 8)])
