"""A sweep with one process, two processes, and a local Dask cluster of two workers: points per second, same Parquet.

    nice -n 19 python -m tests.benchmarks.partitions [POINTS]

POINTS defaults to 10^7; 10^9 takes hours of processor time and about 5 GB of disk per dataset.
"""

import hashlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RES = 2000


def swept(points, folder, *how):
    """(seconds, digest) of a dataset with a number of points."""
    step = 1.75 / (points // RES - 1)
    line = ["sweep", "mobilenet", "--alpha", f"0.25:2:{step:.12f}", "--res", f"32:{31 + RES}:1", "-o", f"{folder}/"]
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "costcalc", *line, *how], check=True)
    seconds = time.perf_counter() - start
    files = sorted(Path(folder).iterdir())
    digest = hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()
    return seconds, (len(files), digest)


def main():
    """Print the figures."""
    from distributed import LocalCluster

    points = int(float(sys.argv[1])) if len(sys.argv) > 1 else 10**7
    with tempfile.TemporaryDirectory() as name:
        cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
        kinds = {"one process": (), "--jobs 2": ("--jobs", "2"), "Dask": ("--cluster", cluster.scheduler_address)}
        found = {}
        for number, (kind, how) in enumerate(kinds.items()):
            seconds, found[kind] = swept(points, f"{name}/{number}", *how)
            print(f"{kind:12} {points / seconds / 1e6:6.2f} M points/s, {found[kind][0]} files", flush=True)
        cluster.close()
    assert len({*found.values()}) == 1
    print("the same bytes")


if __name__ == "__main__":
    main()
