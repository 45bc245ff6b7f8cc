"""Whose numbers are counted where: each number of an initializer at the first node that holds it."""

from ...num.polynomials import Dim


class Numbers:
    """How many numbers of each initializer no node holds yet, and the first node that held any.

    `literals` are constants of the code: a convolution or linear layer may hold them, a sum or product does not.
    """

    def __init__(self):
        self.left, self.holders, self.literals = {}, {}, set()

    def keep(self, tensor, least=0):
        """Note the numbers of a stored tensor, or that there are more of them than its elements."""
        for root in tensor.roots or ():
            self.left[root] = max(self.left.get(root, tensor.size), least)

    def literal(self, tensor):
        """Note a constant of the code."""
        self.keep(tensor)
        self.literals |= tensor.roots

    def are_learned(self, tensor):
        """Whether a constant may hold trained numbers."""
        return bool(tensor.roots) and not tensor.roots & self.literals

    def counted(self, holds, path):
        """Numbers by kind, without those that earlier nodes hold; and which node that is if it holds all."""
        counted, shared = {}, None
        for kind, tensor in holds.items():
            found = 0
            for root in (tensor.roots or ()) if tensor is not None else ():
                taken = self.taken(root, tensor.size)
                shared = shared if taken or tensor.size == 0 else self.holders.get(root)
                self.holders.setdefault(root, "/".join(path))
                found += taken
            counted[kind] = found
        return counted, None if any(counted.values()) else shared

    def taken(self, root, size):
        """How many of an initializer's numbers a tensor made of it holds, of those that are left."""
        taken = self.left[root] if isinstance(size, Dim) else min(self.left[root], size)
        self.left[root] -= taken
        return taken
