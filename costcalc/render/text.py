"""Values as text: shapes, and names that cannot steer a terminal."""


def plain(value):
    """A value for a file: a shape as text, a number as it is."""
    return shape_text(value) if type(value) is tuple else value


def shape_text(shape):
    """`112x112x64`."""
    return "x".join(map(str, shape))


def printable(text):
    """A name from a spec with control characters made visible, so that it cannot steer a terminal."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
