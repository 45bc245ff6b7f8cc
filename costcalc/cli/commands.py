"""The commands: what each is for, its file, and how it may end."""

from importlib import import_module

import click

from .talk import common_options, help_option

GROUPS = {  # heading -> name -> what it is for
    "Cost": {
        "analyze": "What a network costs, layer by layer.",
        "explain": "The calculation behind a layer's numbers.",
        "devices": "The shipped devices for `analyze --device`, with sources.",
        "page": "A network as one HTML file, to look at and send.",
        "serve": "An editor beside the views of `page`, on this machine.",
        "memory": "What tensors need at once, where, and which they are.",
        "training": "What it costs to train it: both passes, kept tensors, memory.",
        "formula": "The cost as a closed form in the spec's variables.",
    },
    "Explore": {
        "sweep": "Costs over any variables: one row per point.",
        "fit": "The largest settings of variables within budgets.",
        "plot": "Plot a sweep, as in Figures 4 and 5 of MobileNets.",
        "space": "How many networks a space of designs has, and how many fit.",
        "search": "The networks of a space that score best within budgets.",
        "survey": "The cost of every model in some directories.",
    },
    "Compare and check": {
        "compare": "Compare specs, settings, or standard with separable.",
        "diff": "The cost of an edit, between specs or git revisions.",
        "check": "Check cost budgets, also against a git revision.",
    },
    "Evidence": {
        "conventions": "Counting conventions and their prices.",
        "reconcile": "Why two counts differ, or what a published number includes.",
        "reproduce": "Compare published figures with computed ones.",
        "bench": "How long networks take here, beside their mult-adds.",
        "selftest": "Check every operation against brute force.",
    },
    "Models and specs": {
        "zoo": "The shipped configs.",
        "import": "Write a model as an editable spec.",
        "export": "Write a network as an ONNX model or a PyTorch module.",
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
        found.params += [*common_options(any(param.name == "color" for param in found.params)), help_option()]
        found.add_help_option = False
    return found
