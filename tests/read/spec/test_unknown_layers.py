"""A random layer of a shipped network replaced by an unknown one: the totals are marked lower bounds."""

import random

import pytest

from costcalc import analyze, load
from costcalc.errors import CostcalcError
from costcalc.model.network import BlockCall, Call, Group

NAMES = (
    *("alexnet", "vgg16", "mobilenet", "mobilenet_v2", "resnet50", "squeezenet1_1", "densenet121", "efficientnet"),
    *("inception_v3", "googlenet", "vit_b_16", "bert", "t5", "swin_t", "facenet_nn2", "ghostnet", "nasnet_a_mobile"),
)


def unknown(model, at):
    """The report of a network with a step and all its runs replaced by opaque layers of the same shape.

    None if later layers read layers inside the step, or it does not have exactly one input.
    """
    before, step = model.steps[:at], model.steps[at]
    if type(step.body) not in (Call, BlockCall, Group) or step.then or step.when is not None:
        return None
    try:
        shape = analyze(model._replace(steps=(*before, step)), convention="framework").lines[-1].output
        body = Call("opaque", {"label": "mine", "out": shape}, {}, False)
        odd = step._replace(body=body, residual=None, repeat=None)
        return analyze(model._replace(steps=(*before, odd, *model.steps[at + 1 :])), convention="framework")
    except CostcalcError:
        return None


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_layer_leaves_lower_bounds(name, seed):
    model, chance = load(name), random.Random(f"{name}{seed}")
    due = analyze(model, convention="framework")
    places = chance.sample(range(len(model.steps)), len(model.steps))
    found = next(one for one in (unknown(model, at) for at in places) if one is not None)
    assert due.complete
    assert not found.complete
    assert [metric for metric in due.totals if found.totals[metric] > due.totals[metric]] == []
