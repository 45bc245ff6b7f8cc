"""The harness of whole models can fail: the expected counts decide."""

import pytest

from costcalc import load
from costcalc.errors import Source
from costcalc.read.spec.reader import read

from .entry import Entry
from .judge import INCOMPLETE, RIGHT, WRONG, compared
from .table import others, table

ENTRY = Entry("none", "MobileNet", "mobilenet", ())
DUE = 4_231_976, 568_740_352
UNKNOWN = "input: [8, 8, 4]\nlayers: [{conv: 1x1, out: 4, bias: false}, {opaque: fft, params: 3}]"


@pytest.mark.parametrize(
    ("due", "verdict"),
    [(DUE, RIGHT), ((DUE[0] + 1, DUE[1]), WRONG), ((DUE[0], DUE[1] - 1), WRONG), ((DUE[0] - 1, DUE[1]), WRONG)],
)
def test_complete_figures_are_held_to_what_is_due(due, verdict):
    found = compared(ENTRY, load("mobilenet"), due, 0)
    assert (found.verdict, found.said) == (verdict, DUE)
    assert ("| none mobilenet | WRONG |" in others([found])) == (verdict == WRONG)
    assert table([found]).splitlines()[2] == (
        "| none | MobileNet | 1 |  |  |  |  |  |" if verdict == RIGHT else "| none | MobileNet |  |  |  |  | 1 |  |"
    )


@pytest.mark.parametrize(("mult_adds", "verdict"), [(2000, INCOMPLETE), (1024, INCOMPLETE), (1000, WRONG)])
def test_lower_bounds_are_held_to_what_is_due(mult_adds, verdict):
    found = compared(ENTRY, read(Source("net.yaml", UNKNOWN)), (19, mult_adds), 0)
    assert (found.verdict, found.said) == (verdict, (19, 1024))


def test_what_frameworks_leave_out_is_counted_by_hand():
    torch = pytest.importorskip("torch")
    from .count import due

    found = due(lambda: torch.nn.Bilinear(8, 12, 5), (((3, 8), "float32"), ((3, 12), "float32")))
    assert (found.params, found.mult_adds) == (485, 3 * 5 * 8 * 12)
