"""The commands: what each is for, its file, and how it may end."""

from importlib import import_module

import click

from .talk import common_options

GROUPS = {  # heading -> name -> what it is for
    "Cost": {
        "analyze": "What a network costs, layer by layer.",
        "explain": "The working behind a layer's numbers, as a teacher writes it.",
        "memory": "What tensors need at once, where, and which they are.",
        "training": "What it costs to train it: both passes, kept tensors, memory.",
        "formula": "The cost as a closed form in the spec's variables.",
    },
    "Explore": {
        "sweep": "Costs over any variables: one row a point.",
        "fit": "The largest settings within budgets.",
        "plot": "A picture of a sweep, as Figures 4 and 5 of MobileNets.",
    },
    "Compare": {
        "compare": "Specs, settings, standard against separable, side by side.",
        "diff": "What an edit of a design costs; against a git revision, too.",
    },
    "Check": {"check": "Cost budgets: what a change costs, and whether it may."},
    "Evidence": {
        "conventions": "What counts as a mult-add or a parameter, and for whom.",
        "reconcile": "Why two counts differ, or what a printed number counted.",
        "reproduce": "Every published figure beside the computed one.",
        "selftest": "Every operation against brute force.",
    },
    "Models and specs": {
        "zoo": "The shipped configs.",
        "import": "A model as a spec with blocks, repeats and widths.",
        "export": "The network as an ONNX model, or as a PyTorch module.",
        "ops": "The operations and blocks of the spec language.",
        "schema": "A JSON Schema of the spec language, for editors.",
        "validate": "Check that specs can be read and built.",
    },
    "Help": {
        "help": "The help of a command.",
        "limits": "The limits on input, and how they are raised.",
        "completion": "Completion for bash, zsh and fish.",
    },
}
COMMANDS = {name: about for group in GROUPS.values() for name, about in group.items()}

OK, FAILED, CANNOT, BUG = 0, 1, 2, 101


def command(name: str) -> click.Command:
    """The command of that name, its file loaded, with the options that all have."""
    found: click.Command = import_module(f"{__package__}.{'import_' if name == 'import' else name}").command
    if not any(param.name == "quiet" for param in found.params):
        found.params += common_options(has_tables=any(param.name == "color" for param in found.params))
    return found
