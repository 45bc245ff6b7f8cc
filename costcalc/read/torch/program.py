"""Run code that the user names: import it, create the module on the meta device, and export its graph."""

from __future__ import annotations

import contextlib
import copy
import logging
import os
import sys
import warnings
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from ... import limits
from ...errors import ArgumentError, CostcalcError, FileError, OptionError, Problem, brief, nearest
from ...num.values import Shape

_ELSEWHERE = "at least two devices"  # error for operands on different devices
_REGISTERED = ("_parameters", "_buffers", "_modules")
_HELP = {  # part of an exporter's error -> advice
    "data-dependent": "`forward` branches on values of tensors, which an export cannot follow: use an argument instead",
    "exported program constant": "a tensor that is used as `.data` cannot be traced: write `.detach()`",
    "param must be a Parameter": "a scripted module has no parameters: import the original module",
    _ELSEWHERE: "a tensor is not part of the module that is copied: make it a parameter, buffer or attribute",
    "LinearPackedParams": "quantized modules keep their weights in objects: import the module before it is quantized",
}
MOST_CHANNELS = 4  # of a picture; a larger size there suggests that channels were given first
EXTRA = "pip install 'costcalc[torch]'"


def exported(target: str, shapes: list[tuple[Shape, str]], kwargs: Mapping[str, Any]) -> Any:
    """Return the ExportedProgram of `MODULE:CALLABLE`.

    target  a module, or a callable that creates it
    shapes  (sizes, name of the type) of each input, as the module receives it
    kwargs  arguments of the callable

    Runs the code that `target` names, with its output redirected to standard error. Raises OptionError, FileError.
    """
    torch = _torch()
    with _calm():
        return _exported(torch, target, _module(torch, target, _imported(target), kwargs), shapes)


def exported_module(module: Any, shapes: list) -> Any:
    """Return the ExportedProgram of a module object; `shapes` as in `exported`. The module is not changed.

    Runs its forward function on the meta device. Raises FileError.
    """
    torch, name = _torch(), type(module).__name__
    with _calm():
        with _reported(name, "cannot be copied"):
            module = copied(torch, module)
        return _exported(torch, name, module, shapes)


@contextlib.contextmanager
def _calm() -> Iterator[None]:
    """Redirect the code's output to standard error, and suppress warnings and PyTorch's log.

    PyTorch also logs the traceback of errors that it raises, which is redundant. TORCH_LOGS enables the log.
    """
    named = [one for name, one in logging.root.manager.loggerDict.items() if f"{name}.".startswith("torch.")]
    handlers = [handler for one in named if isinstance(one, logging.Logger) for handler in one.handlers]
    muted = [] if os.environ.get("TORCH_LOGS") else handlers
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for handler in muted:
            handler.addFilter(_nothing)
        try:
            yield
        finally:
            for handler in muted:
                handler.removeFilter(_nothing)


def _nothing(record: logging.LogRecord) -> bool:
    return False


def _exported(torch: Any, target: str, module: Any, shapes: list) -> Any:
    """Return the ExportedProgram of a module, which may be changed."""
    inputs = tuple(torch.empty(sizes, dtype=getattr(torch, kind), device="meta") for sizes, kind in shapes)
    with _reported(target, "cannot be exported for this input", _channels(shapes)), torch.device("meta"):
        module = on_meta(_sized(torch, module.eval(), inputs))
        try:
            return _traced(torch, module, inputs)
        except RuntimeError as error:
            if _ELSEWHERE not in str(error):
                raise
        _move_attributes(torch, module)
        return _traced(torch, module, inputs)


def _traced(torch: Any, module: Any, inputs: tuple) -> Any:
    with _tensors_only(torch, module):
        return torch.export.export(module, inputs, strict=False)


def _move_attributes(torch: Any, module: Any) -> None:
    """Move tensors that are plain attributes to the meta device. `Module.to` does not move them."""
    for one in module.modules():
        for name, value in vars(one).items():
            leaves = torch.utils._pytree.tree_leaves(value) if name not in _REGISTERED else ()
            if any(type(leaf) is torch.Tensor for leaf in leaves):
                moved = torch.utils._pytree.tree_map_only(torch.Tensor, lambda leaf: leaf.detach().to("meta"), value)
                vars(one)[name] = moved


def _sized(torch: Any, module: Any, inputs: tuple) -> Any:
    """Return the module after lazy layers, such as nn.LazyLinear, have inferred their sizes."""
    if any(map(torch.nn.parameter.is_lazy, (*module.parameters(), *module.buffers()))):
        with torch.no_grad():
            module.to("meta")(*inputs)
    return module


@contextlib.contextmanager
def _tensors_only(torch: Any, module: Any) -> Iterator[None]:
    """Make the module return a list of its tensors, without objects that the exporter does not know, such as caches."""
    leaves = torch.utils._pytree.tree_leaves
    hook = module.register_forward_hook(
        lambda module, given, found: [one for one in leaves(found) if isinstance(one, torch.Tensor)]
    )
    try:
        yield
    finally:
        hook.remove()


def _torch() -> ModuleType:
    try:
        import torch
        import torch.export
    except ImportError:
        raise FileError(Problem("missing-extra", "reading modules needs the package `torch`", help=EXTRA)) from None
    return torch


def _imported(target: str) -> Callable[..., Any] | type:
    """Import `MODULE:CALLABLE`. The working directory is added to the search path."""
    from importlib import import_module

    name, colon, path = target.partition(":")
    if not colon or not name or not path or name.endswith(".py"):
        help = "write MODULE:CALLABLE, as in torchvision.models:resnet18 or net:Net"
        raise OptionError(Problem("usage", f"`{brief(target)}` does not name a callable in a module", help=help))
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        with _reported(target, "cannot be imported"):
            found = import_module(name)
    except CostcalcError as error:
        cause = error.__cause__
        if isinstance(cause, ModuleNotFoundError) and cause.name and f"{name}.".startswith(f"{cause.name}."):
            help = "it is searched in the working directory and on Python's module path"
            raise FileError(Problem("no-module", f"there is no module `{brief(cause.name)}`", help=help)) from None
        raise
    return _attribute(found, name, path)


def _attribute(found: ModuleType, name: str, path: str) -> Any:
    for part in path.split("."):
        if not hasattr(found, part):
            help = nearest(part, [one for one in vars(found) if not one.startswith("_")])
            raise FileError(Problem("no-callable", f"`{brief(name)}` has no `{brief(path)}`", help=help))
        found = getattr(found, part)
    return found


def _module(torch: ModuleType, target: str, found: Callable[..., Any] | type, kwargs: Mapping[str, Any]) -> Any:
    """Return the module, or create it by the callable, on the meta device if possible."""
    if isinstance(found, torch.nn.Module):
        if kwargs:
            raise OptionError(Problem("usage", f"`{brief(target)}` is already a module: `--kwargs` is for a callable"))
        return found
    if not callable(found):
        raise _no_module(target, found)
    try:
        with torch.device("meta"):
            made = found(**kwargs)
    except (RuntimeError, NotImplementedError) as error:
        if "meta" not in str(error):
            raise _failed(target, "cannot be created", error) from error
        with _reported(target, "cannot be created"):  # the constructor reads its numbers
            made = found(**kwargs)
    except (Exception, SystemExit) as error:
        raise _failed(target, "cannot be created", error) from error
    if not isinstance(made, torch.nn.Module):
        raise _no_module(target, made)
    return made


def _no_module(target: str, found: list[Any]) -> Any:
    help = "expected a torch.nn.Module, or a callable that returns one"
    kind = f"{type(found).__module__}.{type(found).__qualname__}".removeprefix("builtins.")
    return FileError(Problem("no-module", f"`{brief(target)}` gives a {brief(kind)}", help=help))


def _channels(shapes: list) -> str | None:
    """Hint for sizes that seem to have channels first, such as 3x96x96."""
    for sizes, _ in shapes:
        if len(sizes) >= 4 and sizes[2] <= MOST_CHANNELS < sizes[1]:
            written = "x".join(map(str, (*sizes[3:], sizes[1], sizes[2])))
            return f"sizes have no batch and are channels last: is this {written}?"
    return None


@contextlib.contextmanager
def _reported(target: str, what: str, help: str | None = None) -> Iterator[None]:
    """Convert any failure of the code to one error."""
    try:
        yield
    except (Exception, SystemExit) as error:
        raise _failed(target, what, error, help) from error


def _failed(target: str, what: str, error: Any, help: str | None = None) -> Any:
    lines = str(error).strip().splitlines() or [""]
    help = help or next((text for part, text in _HELP.items() if part in lines[0]), None)
    text = f"{type(error).__name__}: {lines[0].strip()}".rstrip(": ")
    return FileError(Problem("code-failed", f"`{brief(target)}` {what}: {text}", help=help, notes=_where(error)))


def _where(error: Exception) -> Any:
    """Location of the last frame that is neither in costcalc nor in the framework."""
    import traceback

    ours = os.path.dirname(os.path.abspath(__file__))
    frames = [
        one
        for one in traceback.extract_tb(error.__traceback__)
        if not one.filename.startswith((ours, "<"))
        and f"{os.sep}torch{os.sep}" not in one.filename
        and f"{os.sep}contextlib" not in one.filename
        and f"{os.sep}importlib{os.sep}" not in one.filename
    ]
    return tuple(f"at {one.filename}:{one.lineno}, in {one.name}" for one in frames[-1:])


def storage(value: Any) -> Hashable:
    """Key that identifies the memory of a tensor."""
    try:
        return value.untyped_storage()._cdata, value.storage_offset(), value.numel()
    except (AttributeError, NotImplementedError, RuntimeError, ValueError):  # the last: a tensor without a size yet
        return id(value)


def copied(torch: Any, module: Any) -> Any:
    """Copy a module with its parameters and buffers on the meta device. Tied parameters stay tied."""
    memo: dict[int, Any] = {}
    for value in (*module.parameters(), *module.buffers()):
        if torch.nn.parameter.is_lazy(value):  # its size is inferred at the first call
            memo[id(value)] = _lazy(torch, value)
        elif type(value) is torch.nn.Parameter:
            memo[id(value)] = torch.nn.Parameter(value.detach().to("meta"), requires_grad=value.requires_grad)
        elif type(value) is torch.Tensor:
            memo[id(value)] = value.detach().to("meta")
    for value in _computed(torch, module):
        memo[id(value)] = value.detach().to("meta")
    made = copy.deepcopy(module, memo)
    _tie_all(made, _tied(module))
    return made


def _lazy(torch: Any, value: Any) -> Any:
    """Copy of a parameter or buffer that has no size yet."""
    kind, given = type(value), {"device": "meta", "dtype": value.data.dtype}
    return kind(requires_grad=value.requires_grad, **given) if isinstance(value, torch.nn.Parameter) else kind(**given)


def _computed(torch: Any, module: Any) -> list[Any]:
    """Attributes that modules computed from parameters, such as the weight of `torch.nn.utils.weight_norm`."""
    kept = (value for one in module.modules() for value in vars(one).values())
    return [value for value in kept if isinstance(value, torch.Tensor) and value.grad_fn is not None]


def on_meta(module: Any) -> Any:
    """Move the module to the meta device. Tied parameters stay tied, which `Module.to` alone does not ensure."""
    tied = _tied(module)
    module = module.to("meta")
    _tie_all(module, tied)
    return module


def _tied(module: Any) -> list[list[tuple[str, Any]]]:
    """Parameters of a module as (name, value), grouped by shared memory."""
    found: dict[Hashable, list[tuple[str, Any]]] = {}
    for name, value in module.named_parameters(remove_duplicate=False):
        found.setdefault(storage(value), []).append((name, value))
    return list(found.values())


def _tie_all(module: Any, tied: list[list[tuple[str, Any]]]) -> None:
    for (first, _), *others in tied:
        for name, before in others:
            _tie(module, first, name, before)


def _tie(module: Any, first: str, name: str, before: Any) -> None:
    """Make a parameter share the memory of another, with its own former shape."""
    owner, _, leaf = name.rpartition(".")
    source = module.get_parameter(first)
    if source.shape != before.shape or source.stride() != before.stride():
        source = type(source)(source.data.as_strided(before.shape, before.stride()), requires_grad=before.requires_grad)
    module.get_submodule(owner)._parameters[leaf] = source


KINDS = ("float32", "float16", "bfloat16", "float64", "complex64", "int64", "int32", "bool")
Given = tuple[tuple[int, ...], str]  # sizes with batch first and channels second; name of the type


def shape(text: str) -> Given:
    """Parse `224x224x3`, `16x80` or `128:int64`. Adds a batch of one; channels become second. Raises OptionError."""
    sizes, _, kind = text.partition(":")
    parts = sizes.split("x")
    if not all(one.isascii() and one.isdigit() and 0 < int(one[:20]) <= limits.SIZE for one in parts):
        raise _wrong(text, "sizes are whole numbers of at least 1, as in 224x224x3, 16x80 or 128:int64")
    if kind not in ("", *KINDS):
        raise _wrong(text, f"types: {', '.join(KINDS)}")
    return _batched(text, tuple(map(int, parts)), kind or "float32")


def given(input: Any) -> list[Given]:
    """Input shapes from a Python value: a text, sizes, a tensor, or a list of these. Raises OptionError."""
    if isinstance(input, (list, tuple)) and input and not all(type(one) is int for one in input):
        return [_one(each) for each in input]
    return [_one(input)]


def _one(input: Any) -> Given:
    if isinstance(input, str):
        return shape(input)
    if hasattr(input, "shape") and hasattr(input, "dtype"):
        return tuple(map(int, input.shape)), str(input.dtype).removeprefix("torch.")
    if isinstance(input, Sequence) and input and all(type(one) is int for one in input):
        return shape("x".join(map(str, input)))
    help = 'write "224x224x3", (224, 224, 3), "128:int64", a tensor, or a list of these'
    raise ArgumentError(Problem("bad-argument", f"`input` cannot be {brief(repr(input))}", help=help))


def _batched(text: str, sizes: tuple[int, ...], kind: str) -> Given:
    """Add a batch of one. For a grid, move the channels to the front."""
    if len(sizes) >= limits.RANK:
        raise _wrong(text, f"a tensor has at most {limits.RANK} axes, including the batch")
    grid = (sizes[-1], *sizes[:-1]) if len(sizes) > 2 else sizes
    return (1, *grid), kind


def _wrong(text: str, help: str) -> OptionError:
    return OptionError(Problem("usage", f"input `{brief(text)}` is not a shape", help=help))
