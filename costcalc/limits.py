"""What costcalc refuses to chew on. Specs come from strangers; each limit bounds time or memory."""

FILE_BYTES = 16_000_000  # of one spec, and of all that it includes
INCLUDES = 200  # specs that one spec includes
INCLUDE_DEPTH = 10  # specs inside specs
NESTING = 60  # lists and maps inside each other
EXPRESSION_CHARS = 1_000
EXPRESSION_DEPTH = 60
DIGITS = 18  # of one number
SIZE = 2**40  # of one dimension, kernel or width
LAYERS = 200_000  # after repeats and blocks are expanded
BLOCK_DEPTH = 40  # blocks inside blocks
RANK = 8  # dimensions of a tensor
TOTAL = 2**62  # of any total: past it 64-bit arithmetic would wrap
GRAPH_FILE_BYTES = 2**31  # of a graph with its weights, which are skipped: where protocol buffers end
GRAPH_BYTES = 128_000_000  # of a graph without its weights
GRAPH_FIELDS = 2_000_000  # that are looked at to find the weights
FOLDED = 4_096  # elements of a constant whose values are followed
OPEN_AXES = 1_000  # of the inputs of a graph
UNROLLED = 10_000  # runs of the body of a loop whose shapes change
