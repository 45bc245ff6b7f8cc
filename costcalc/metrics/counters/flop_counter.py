"""torch.utils.flop_counter.FlopCounterMode."""

from . import each, mirrored, one

_FILE = "torch/utils/flop_counter.py"
_NO_PARAMS = "It prints no parameters."
_RECURRENT = "Recurrent layers are priced as their products, and not in the record."
_PRODUCTS = {
    "mac": one(2, f"{_FILE}, mm_flop, addmm_flop, bmm_flop, conv_flop_count: a multiply and an add"),
}

CONVENTIONS = {
    "flop_counter": mirrored(
        "flop_counter",
        "what PyTorch's FlopCounterMode prints on a CPU: 2 per mult-add, but nothing for fused attention",
        "flops",
        f"PyTorch, {_FILE}",
        {
            **_PRODUCTS,
            **each(
                "attention.mac mac_attention mac_masked",
                0,
                "on a CPU, aten::_native_multi_head_attention and the fused attention are not in flop_registry",
            ),
        },
        {},
        notes=(_NO_PARAMS, "On the meta device it sees attention too: flop_counter_meta.", _RECURRENT),
    ),
    "flop_counter_meta": mirrored(
        "flop_counter_meta",
        "what PyTorch's FlopCounterMode prints on the meta device: 2 per mult-add",
        "flops",
        f"PyTorch, {_FILE}",
        {**_PRODUCTS, **each("mac_attention mac_masked", 2, f"{_FILE}, sdpa_flop_count")},
        {},
        notes=(_NO_PARAMS, _RECURRENT),
    ),
}
