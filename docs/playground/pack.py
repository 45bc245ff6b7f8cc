"""Pack the engine for the browser: costcalc, its configs, and the files that it needs of other packages, pure Python.

`python pack.py DIRECTORY` writes index.html, engine.zip and schema.json there. The same inputs give the same bytes.
"""

import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
THEN = (1980, 1, 1, 0, 0, 0)  # the modification time of every file in the archive
LEFT_OUT = ("render/web/", "cli/", "selftest/", "pytest_plugin.py", "__pycache__")  # unused by requests
TAKEN = {  # package -> the files that are read: no extension modules, tests or generators
    "flatbuffers": ("flatbuffers/",),
    "onnx": ("onnx/onnx_ml_pb2.py",),  # the message classes; the rest needs NumPy and an extension module
    "protobuf": ("google/",),
    "PyYAML": ("yaml/",),
    "tflite": ("tflite/",),
}


def main(out: Path) -> None:
    """Write the files."""
    sys.path.insert(0, str(ROOT))
    from costcalc.analysis.page.live import FIRST, Engine
    from costcalc.files import shipped
    from costcalc.read.spec.schema import schema
    from costcalc.render.html_file import playground

    first = {"name": f"{FIRST}.yaml", "text": shipped().source(f"{FIRST}.yaml").text}
    (out / "index.html").write_text(playground(Engine().opening(first)), encoding="utf-8")
    text = json.dumps(schema(), ensure_ascii=False, separators=(",", ":"))
    (out / "schema.json").write_text(text, encoding="utf-8")
    files = {**dict(_own()), **dict(_others()), "onnx/__init__.py": b""}
    with zipfile.ZipFile(out / "engine.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, THEN)
            info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, 0o644 << 16, 3
            archive.writestr(info, files[name])


def _own() -> Iterator[tuple[str, bytes]]:
    for path in sorted((ROOT / "costcalc").rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        inside = name.removeprefix("costcalc/")
        if path.is_file() and not any(inside.startswith(one) or f"/{one}" in inside for one in LEFT_OUT):
            yield name, path.read_bytes()
    for path in sorted((ROOT / "costcalc/render/web/built").glob("page.*")):
        yield path.relative_to(ROOT).as_posix(), path.read_bytes()
    for path in sorted((ROOT / "configs").glob("*.yaml")):
        yield f"costcalc/configs/{path.name}", path.read_bytes()


def _others() -> Iterator[tuple[str, bytes]]:
    """The files of the other packages, from wheels of one platform, without extension modules."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        platform = ["--platform", "manylinux_2_28_x86_64", "--platform", "manylinux2014_x86_64", "--platform", "any"]
        wanted = ["--python-version", "3.12", "--implementation", "cp", "-r", str(HERE / "requirements.txt")]
        subprocess.run([*command, *platform, *wanted, "--dest", folder], check=True)
        wheels = sorted(Path(folder).glob("*.whl"))
        for package, parts in TAKEN.items():
            (wheel,) = (one for one in wheels if one.name.lower().startswith(f"{package.lower()}-"))
            with zipfile.ZipFile(wheel) as archive:
                for name in archive.namelist():
                    license = ".dist-info/" in name and "license" in name.lower()
                    if license or (name.startswith(parts) and name.endswith(".py")):
                        yield name, archive.read(name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
