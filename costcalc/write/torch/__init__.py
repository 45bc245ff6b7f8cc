"""A network as a Python file with a `torch.nn.Module`: layers of equal structure are functions.

source_text(graph, name)    the text of the file
"""


def source_text(graph, name) -> str:
    """The text of a Python file that needs torch alone. Raises SpecError for a layer that PyTorch cannot have."""
    from .file import source

    return source(graph, name)
