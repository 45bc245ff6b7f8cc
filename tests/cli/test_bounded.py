"""Time and memory for hostile files of every format and kind, measured in separate processes."""

import io
import os
import resource
import socket
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import costcalc
from costcalc import limits

if not Path("/proc/self/status").exists():
    pytest.skip("memory is measured as Linux has it", allow_module_level=True)

MEGABYTES = 300
RUN = """
import resource, sys
from costcalc.cli import main
try:
    main(sys.argv[1:])
finally:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    with open("/proc/self/status") as file:  # not ru_maxrss, which is that of the process before too
        peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
    with open("used", "w") as file:
        print(peak / 1024, usage.ru_utime + usage.ru_stime, file=file)
"""


def cap():
    """Limit memory, so that a failing test cannot exhaust the machine."""
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
    resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))


def ended(folder, *args, limits="", out=None):
    """(exit code, stderr, peak megabytes, seconds of processor time) of a command that writes to a file `out`."""
    with Path(out or os.devnull).open("w") as stdout:
        done = _run(folder, args, limits, stdout)
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    megabytes, seconds = map(float, (folder / "used").read_text().split())
    return done.returncode, done.stderr, megabytes, seconds


def _run(folder, args, limits, stdout):
    return subprocess.run(
        [sys.executable, "-c", RUN, *args],
        cwd=folder,
        env={**os.environ, "COSTCALC_LIMITS": limits, "PYTHONPATH": str(Path(costcalc.__file__).parent.parent)},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=100,
        check=False,
        preexec_fn=cap,
    )


def archive(method, size):
    """A `.keras` file whose configuration unpacks to a given number of bytes."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as packed:
        packed.writestr("config.json", b" " * size)
    return data.getvalue()


def directory(entries):
    """An archive that lists a number of files without containing them."""
    one = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    size = len(one) * entries
    sizes = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, size, 0)
    where = struct.pack("<4sLQL", b"PK\x06\x07", 0, size, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return one * entries + sizes + where + end


def sparse(path):
    """A sparse file of 3 GB that ends with an archive whose directory covers nearly all of it."""
    size = 3_000_000_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, size - 22, 0, 0)
    with path.open("wb") as file:
        file.truncate(size - 22)
        file.seek(size - 22)
        file.write(end)


ARCHIVES = {
    "bzip2": lambda: archive(zipfile.ZIP_BZIP2, 400_000_000),
    "lzma": lambda: archive(zipfile.ZIP_LZMA, 400_000_000),
    "deflate": lambda: archive(zipfile.ZIP_DEFLATED, 400_000_000),
    "three million entries": lambda: directory(3_000_000),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHIVES)
def test_archives_unpack_to_little(tmp_path, name):
    (tmp_path / "net.keras").write_bytes(ARCHIVES[name]())
    code, err, megabytes, seconds = ended(tmp_path, "analyze", "net.keras")
    assert code == 2, err
    assert megabytes < 150
    assert seconds < 5


def test_a_sparse_archive(tmp_path):
    sparse(tmp_path / "net.keras")
    code, err, megabytes, seconds = ended(tmp_path, "analyze", "net.keras")
    assert (code, "list of files is larger" in err) == (2, True)
    assert megabytes < 100
    assert seconds < 5


JSONS = {
    "many maps": '{"class_name": "Sequential", "config": [' + "{}," * 5_000_000 + "{}]}",
    "many numbers": '{"class_name": "Sequential", "config": [' + "1," * 7_000_000 + "1]}",
    "many quotes": '{"class_name": "Sequential", "config": [' + '"\\",[",' * 2_000_000 + "1]}",
}


@pytest.mark.parametrize("name", JSONS)
def test_values_of_json_fill_no_memory(tmp_path, name):
    (tmp_path / "net.json").write_text(JSONS[name])
    code, err, megabytes, _ = ended(tmp_path, "analyze", "net.json")
    assert (code, "more than 550,000 values" in err) == (2, True)
    assert megabytes < 150


def field(number, data):
    """A bytes field in wire format."""
    size, head = len(data), bytearray()
    while size > 127:
        head.append(size & 127 | 128)
        size >>= 7
    return bytes([number << 3 | 2, *head, size]) + data


GRAPHS = {  # many small messages: some take 2 bytes in the file and 200 in memory when parsed
    "attributes": lambda: field(7, field(1, b"\x2a\x00" * 2_000) * 5_000),
    "inputs": lambda: field(7, field(1, b"\x0a\x00" * 2_000) * 5_000),
    "notes": lambda: field(7, field(1, b"\x4a\x00" * 2_000) * 5_000),
    "numbers": lambda: field(7, field(5, field(5, bytes(4_000))) * 10_000),
    "sizes": lambda: field(7, field(5, field(1, bytes(4_000))) * 10_000),
    "dimensions": lambda: field(7, field(13, field(2, field(1, field(2, b"\x0a\x00" * 1_000)))) * 10_000),
    "notes of the model": lambda: field(14, b"") * 10_000_000 + field(7, b""),
}


FEW = ("numbers", "sizes")  # those of a second


@pytest.mark.parametrize(
    "name", [each if each in FEW else pytest.param(each, marks=pytest.mark.slow) for each in GRAPHS]
)
def test_messages_of_graphs_fill_no_memory(tmp_path, name):
    (tmp_path / "net.onnx").write_bytes(GRAPHS[name]())
    code, err, megabytes, seconds = ended(tmp_path, "analyze", "net.onnx")
    assert code == 2, err
    assert megabytes < MEGABYTES
    assert seconds < 30


@pytest.mark.slow
def test_large_files_of_weights_are_not_held(tmp_path):
    onnx = pytest.importorskip("onnx")
    data = bytes(8_000)
    weights = [onnx.TensorProto(name=f"w{at}", dims=[2_000], data_type=1, raw_data=data) for at in range(40_000)]
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph([node], "g", [info("x", 1, [1, 4])], [info("y", 1, [1, 4])], weights)
    (tmp_path / "net.onnx").write_bytes(onnx.helper.make_model(graph).SerializeToString())
    del weights, graph
    code, err, megabytes, seconds = ended(tmp_path, "analyze", "net.onnx")
    assert code == 0, err
    assert megabytes < 200
    assert seconds < 10


NAMES = ("net.yaml", "net.onnx", "net.keras", "net.json")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_file_is_refused_at_once(tmp_path, name):
    os.mkfifo(tmp_path / name)
    code, err, _, _ = ended(tmp_path, "analyze", name)
    assert (code, f"{name!r} is not a regular file" in err) == (2, True)
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to("/dev/zero")
    code, err, _, _ = ended(tmp_path, "analyze", name)
    assert (code, "is a link that leaves the directory" in err) == (2, True)


@pytest.mark.parametrize("name", NAMES)
def test_a_socket_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(name)
        code, err, _, _ = ended(tmp_path, "analyze", name)
    assert (code, f"{name!r} is not a regular file" in err) == (2, True)


def intricate(op, pairs, axes=("a", "b", "c", "d")):
    """A graph with open axes whose shape is repeatedly combined with its own sum."""
    from onnx import helper

    nodes = [helper.make_node("Shape", ["x"], ["s0"])]
    for at in range(pairs):
        nodes.append(helper.make_node("ReduceSum", [f"s{at}"], [f"r{at}"], keepdims=1))
        nodes.append(helper.make_node(op, [f"s{at}", f"r{at}"], [f"s{at + 1}"]))
    nodes.append(helper.make_node("Expand", ["x", f"s{pairs}"], ["y"]))
    ends = [helper.make_tensor_value_info(name, 1, shape) for name, shape in (("x", axes), ("y", None))]
    return helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:])).SerializeToString()


@pytest.mark.parametrize("pairs", [7, 25, 400])
@pytest.mark.parametrize("op", ["Mul", "Add", "Div", "Mod", "Max"])
def test_sizes_grow_no_further_than_can_be_kept(tmp_path, op, pairs):
    pytest.importorskip("onnx")
    (tmp_path / "net.onnx").write_bytes(intricate(op, pairs))
    code, err, megabytes, seconds = ended(tmp_path, "analyze", "net.onnx", "--set", "b=2")
    assert code == 2
    assert err.startswith(("error: net needs values for `c`, `d`", "error: 'net.onnx': node "))
    assert megabytes < 100
    assert seconds < 6


CHAINS = {  # a network of many layers in every format, which takes a noticeable time to read
    "net.yaml": lambda: "input: [8]\nlayers: [" + "relu, " * 20_000 + "relu]\n",
    "net.json": lambda: keras(20_000),
    "net.onnx": lambda: chain(20_000),
}


def keras(count):
    """The configuration of a chain of activations."""
    import json

    layers = [{"class_name": "ReLU", "config": {"name": f"r{at}"}} for at in range(count)]
    layers[0]["config"]["batch_input_shape"] = [None, 8]
    return json.dumps({"class_name": "Sequential", "config": {"layers": layers}})


def chain(count):
    """The graph of a chain of activations."""
    from onnx import helper

    nodes = [helper.make_node("Relu", [f"t{at}"], [f"t{at + 1}"]) for at in range(count)]
    ends = [helper.make_tensor_value_info(name, 1, [1, 8]) for name in ("t0", f"t{count}")]
    return helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:])).SerializeToString()


@pytest.mark.parametrize("name", CHAINS)
def test_reading_ends_when_its_time_is_over(tmp_path, name):
    if name.endswith(".onnx"):
        pytest.importorskip("onnx")
    data = CHAINS[name]()
    (tmp_path / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    code, err, _, taken = ended(tmp_path, "analyze", name)
    assert code == 0, err
    code, err, _, seconds = ended(tmp_path, "analyze", name, limits="seconds=0")
    assert code == 2
    assert err.startswith(f"error: reading '{name}' takes more than 0 seconds")
    assert "COSTCALC_LIMITS=seconds=N" in err
    assert seconds < taken


@pytest.mark.slow
def test_the_checks_of_a_run_share_their_time(tmp_path):
    for at in range(60):
        (tmp_path / f"n{at}.yaml").write_text("input: [8]\nlayers: [{repeat: 4000, layers: [relu]}]\n")
    checks = "".join(f"  - {{spec: n{at}.yaml, max: {{mult_adds: 1M}}}}\n" for at in range(60))
    (tmp_path / "costcalc.yaml").write_text(f"checks:\n{checks}")
    code, _, _, seconds = ended(tmp_path, "check", limits="run_seconds=60")
    assert code == 0
    code, _, _, short = ended(tmp_path, "check", limits="run_seconds=1")
    assert code == 2
    assert short < 1.8 < seconds


@pytest.mark.slow
@pytest.mark.parametrize("output", ["net.onnx", "-"])
def test_exported_weights_are_not_held(tmp_path, output):
    onnx = pytest.importorskip("onnx")
    code, err, megabytes, _ = ended(tmp_path, "export", "vgg16", "--to", "onnx", "-o", output, out=tmp_path / "out")
    assert code == 0, err
    assert megabytes < 150
    path = tmp_path / (output if output != "-" else "out")
    assert path.stat().st_size > 4 * 138_357_544  # Simonyan and Zisserman 2015: 138 million parameters
    onnx.checker.check_model(str(path))


@pytest.mark.slow
def test_the_weights_of_a_base_are_not_held(tmp_path, repository):
    onnx = pytest.importorskip("onnx")
    for size in (30_000_000, 1):
        with (tmp_path / "net.onnx").open("wb") as file:
            info, numbers = onnx.helper.make_tensor_value_info, 4 * size
            graph = onnx.helper.make_graph(
                [onnx.helper.make_node("Relu", ["x"], ["y"])], "g", [info("x", 1, [1, 4])], [info("y", 1, [1, 4])]
            )
            graph.initializer.add(name="w", data_type=1, dims=[size], raw_data=bytes(numbers))
            file.write(onnx.helper.make_model(graph).SerializeToString())
        if size > 1:
            repository.commit()
    code, err, megabytes, _ = ended(tmp_path, "diff", "net.onnx", "--base", "main")
    assert code == 0, err
    assert megabytes < 120


def many_files(repository, count):
    """A commit on main with a number of files that are not specs, and a small spec."""
    lines = "".join(f"M 100644 :1 src/{at % 200}/a_file_with_a_long_name_{at}.txt\n" for at in range(count))
    text = "input: [8]\nlayers: [{linear: 8}]\n"
    mark = f"blob\nmark :2\ndata {len(text)}\n{text}\n"
    head = "commit refs/heads/main\ncommitter a <a@example.org> 1700000000 +0000\ndata 1\na\n"
    stream = f"blob\nmark :1\ndata 1\na\n{mark}{head}{lines}M 100644 :2 net.yaml\n"
    subprocess.run(["git", "-C", repository.root, "fast-import", "--quiet"], input=stream, text=True, check=True)
    (repository.root / "net.yaml").write_text(text.replace("linear: 8", "linear: 9"))


def test_the_files_of_a_repository_are_not_held(tmp_path, repository):
    many_files(repository, 200_000)
    code, _, megabytes, seconds = ended(tmp_path, "check", "net.yaml", "--vs-base", "params=+0")
    assert code == 1
    assert megabytes < 90  # the size of 200,000 paths and their hashes
    assert seconds < 10


LITERAL = "  - {conv: 3x3, out: 64}\n"
WRITTEN = {  # as many layers as are allowed
    "repeated": lambda count: f"input: [8]\nlayers: [{{repeat: {count}, layers: [relu]}}]\n",
    "literal": lambda count: "input: [32, 32, 64]\nlayers:\n" + LITERAL * count,
}


LARGEST = {  # command: (layers of net.yaml, arguments)
    "analyze": (limits.LAYERS, ["net.yaml", "--json"]),
    "explain": (limits.LAYERS, ["net.yaml"]),
    "sweep": (limits.LAYERS, ["net.yaml", "--vary", "a=8:64:8"]),
    "compare": (limits.COMPARED // 2, ["net.yaml", "other.yaml", "--json"]),
    "diff": (limits.COMPARED // 2, ["net.yaml", "other.yaml"]),
    "import": (limits.WRITTEN, ["net.yaml", "-o", "out.yaml"]),
    "export": (limits.WRITTEN, ["net.yaml", "-o", "out.onnx", "--weights", "none"]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGEST)
def test_commands_hold_little_of_the_largest_network(tmp_path, name):
    if name == "export":
        pytest.importorskip("onnx")
    count, args = LARGEST[name]
    text = "vars: {a: 64}\ninput: [32, 32, a]\nlayers:\n" + "  - {conv: 3x3, out: a}\n" * count
    text = text.replace("out: a", "out: 64") if name == "analyze" else text
    (tmp_path / "net.yaml").write_text(text)
    (tmp_path / "other.yaml").write_text(text.replace("3x3", "1x1", count // 2))
    code, err, megabytes, _ = ended(tmp_path, name, *args)
    assert code == 0, err
    assert megabytes < (250 if name == "analyze" else MEGABYTES)


DEEP = """vars: {a: 8}
input: [8, 8, 3]
layers: [{layers: [{conv: 1x1, out: a + i}], repeat: 300}]
"""
COUPLED = """vars:
  k: {default: 3, choices: [1, 3, 5, 7], each: 9}
input: [8, 8, 3]
layers: [{layers: [{conv: "k[i]", out: 8}], repeat: 9}]
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "args"),
    [
        (DEEP, ("sweep", "net.yaml", "--vary", "a=1:131072:1", "-o", "points.csv")),
        (COUPLED, ("space", "net.yaml", "--max", "mult_adds=1M")),
    ],
    ids=["sweep", "space"],
)
def test_the_arrays_of_a_walk_take_little(tmp_path, text, args):
    (tmp_path / "net.yaml").write_text(text)
    code, err, megabytes, _ = ended(tmp_path, *args)
    assert code == 0, err
    assert megabytes < MEGABYTES


def different(size):
    """As many distinct layers as allowed."""
    layers = "".join(f"  - {{conv: {size}, out: {8 + at}}}\n" for at in range(limits.DIFFERENT))
    return f"input: [32, 32, 64]\nlayers:\n{layers}"


def test_a_check_holds_little_of_the_largest_networks_on_both_sides(tmp_path, repository):
    repository.commit(net=different("3x3"))
    for size, due in (("1x1", 0), ("5x5", 1)):
        repository.write(net=different(size))
        code, err, megabytes, seconds = ended(tmp_path, "check", "net.yaml", "--vs-base", "params=+0")
        assert code == due, err
        assert megabytes < MEGABYTES
        assert seconds < 30


BLOCKS = "blocks: {b(w): [{conv: 3x3, out: w}]}\nlayers:\n  - {repeat: 40001, layers: [{b: [[i + 1]]}]}\n"


@pytest.mark.parametrize("how", ["written", "in a block"])
def test_more_layers_than_may_differ(tmp_path, how):
    more = different("3x3") + "  - {conv: 1x1, out: 7}\n" if how == "written" else "input: [32, 32, 64]\n" + BLOCKS
    (tmp_path / "net.yaml").write_text(more)
    code, err, megabytes, _ = ended(tmp_path, "analyze", "net.yaml")
    assert (code, "more than 40,000 different layers" in err) == (2, True)
    assert megabytes < MEGABYTES
    assert "COSTCALC_LIMITS=different=N" in err


@pytest.mark.slow
def test_a_check_against_a_base_is_of_fewer_layers(tmp_path, repository):
    for then, now, message in (
        (1_000, limits.LAYERS, "a network of 100,000 layers cannot be compared with a base: the limit is 50,000"),
        (limits.LAYERS, 1_000, "more than 50,000 layers after repeats and blocks are expanded"),
    ):
        repository.commit(net=WRITTEN["literal"](then))
        repository.write(net=WRITTEN["literal"](now))
        line = ("check", "net.yaml", "--vs-base", "params=+0", "--format", "json", "-o", "out.json")
        code, _, megabytes, _ = ended(tmp_path, *line)
        text = (tmp_path / "out.json").read_text()
        assert (code, message in text) == (2, True), text[:3_000]
        assert megabytes < MEGABYTES


@pytest.mark.parametrize("name", ["compare", "import", "export"])
def test_networks_that_are_too_large_for_a_command_are_refused(tmp_path, name):
    if name == "export":
        pytest.importorskip("onnx")
    for file in ("net.yaml", "other.yaml"):
        (tmp_path / file).write_text(WRITTEN["repeated"](limits.LAYERS))
    code, err, megabytes, _ = ended(tmp_path, name, "net.yaml", *LARGEST[name][1][1:])
    assert code == 2
    assert f"COSTCALC_LIMITS={'compared' if name == 'compare' else 'written'}=N" in err
    assert megabytes < MEGABYTES


@pytest.mark.slow
@pytest.mark.parametrize("how", WRITTEN)
def test_limits_of_layers_bound_memory(tmp_path, how):
    assert limits.LAYERS >= 100_000
    (tmp_path / "net.yaml").write_text(WRITTEN[how](limits.LAYERS))
    code, err, megabytes, _ = ended(tmp_path, "analyze", "net.yaml")
    assert code == 0, err
    assert megabytes < MEGABYTES


SPACE = "vars: {w: {default: 8, choices: [4, 8]}}\ninput: [8, 8, 3]\nlayers: [{conv: 3x3, out: w}]\n"
PACKED = """
import pyarrow, sys
from pyarrow.parquet import write_table
text = ["w=" + "4" * 2**20, "x" * 2**20]
rows = {"w": pyarrow.repeat(4, 50_000_000), "score": pyarrow.repeat(1.0, 50_000_000)}
long = {"network": pyarrow.DictionaryArray.from_arrays(pyarrow.array([0, 1] * 5000), text), "score": [1.0] * 10_000}
for name, table in {"rows": rows, "texts": long}.items():
    write_table(pyarrow.table(table), name + ".parquet", compression="zstd", store_schema=False)
"""


@pytest.mark.slow
def test_a_table_of_scores_unpacks_to_little(tmp_path):
    """A small Parquet file with many rows of one number, or many rows that share a long text."""
    pytest.importorskip("pyarrow")
    (tmp_path / "net.yaml").write_text(SPACE)
    subprocess.run([sys.executable, "-c", PACKED], cwd=tmp_path, check=True)
    assert max((tmp_path / f"{name}.parquet").stat().st_size for name in ("rows", "texts")) < 500_000
    line = ["search", "net.yaml", "--max", "mult_adds=1G", "--maximize"]
    for name, due, word in (("rows", 2, "it has more than 5,000,000 rows"), ("texts", 0, "")):
        code, err, megabytes, _ = ended(tmp_path, *line, f"{name}.parquet")
        assert (code, word in err) == (due, True), err
        assert megabytes < 2 * MEGABYTES  # pandas and pyarrow alone take half of it
