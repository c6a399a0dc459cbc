"""Comparison of int8 matrix products for the language model: ONNX Runtime's MatMulInteger and PyTorch's `_int_mm`.

Run `python research/int8_backend.py` to regenerate int8_backend.md in its folder (two minutes on two otherwise idle
cores). PyTorch is measured only if it is installed: `pip install torch`, on Linux from PyTorch's index of CPU wheels,
since the default wheels include gigabytes of CUDA.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from time import perf_counter

import numpy as np
from packaging.requirements import Requirement

from pentary.nets import products
from pentary.nets.lm.model import Model
from pentary.support.parallel import map_items, one_blas_thread

ROWS = 2048
WIDTHS = (64, 512)
WORKERS = (1, 2)
SECONDS = 8.0  # time limit per measurement of a library
WEIGHTS = (2, 64, 127)
PACKAGES = {"numpy": ["numpy"], "onnxruntime": ["onnxruntime", "onnx"], "torch": ["torch"]}
TITLES = {
    "numpy": "NumPy, float32 `matmul`",
    "onnxruntime": "ONNX Runtime, `MatMulInteger` of u8 x s8",
    "torch": "PyTorch, `_int_mm` of s8 x s8",
}

Product = Callable[[], object]
Make = Callable[[np.ndarray, np.ndarray], tuple[Product, Callable[[], np.ndarray]]]


def of_backend(name: str) -> Make:
    """Return a factory of products with a backend of the kit."""

    def make(x: np.ndarray, weights: np.ndarray) -> tuple[Product, Callable[[], np.ndarray]]:
        own = products.backend(name)
        out = np.empty((len(x), weights.shape[1]), own.accumulator)
        product = own.product((x + own.zero).astype(own.operand), weights.astype(own.weight), out)
        return product, lambda: out

    return make


def of_torch(x: np.ndarray, weights: np.ndarray) -> tuple[Product, Callable[[], np.ndarray]]:
    import torch  # pyright: ignore[reportMissingImports]

    torch.set_num_threads(1)
    left, right = (torch.from_numpy(np.ascontiguousarray(values, np.int8)) for values in (x, weights))
    out = torch.empty((len(x), weights.shape[1]), dtype=torch.int32)
    return lambda: torch._int_mm(left, right, out=out), out.numpy


def exact_up_to(make: Make) -> int:
    """Return the largest weight tried for which products of extreme operands are exact."""
    right = 0
    for weight in WEIGHTS:
        weights = np.full((512, 64), weight) * np.where(np.arange(64) % 2, 1, -1)
        for operand in (127, -128):
            x = np.full((32, 512), operand)
            product, out = make(x, weights)
            product()
            if not np.array_equal(out(), x @ weights):
                return right
        right = weight
    return right


def shapes(dim: int) -> list[tuple[int, int]]:
    """Return (k, n) of each product with shared weights in a model of one layer."""
    tensors = Model(dim=dim).tensors
    return [(t.rows, t.cols) for t in tensors.values() if t.kind == "matrix" and t.name != "embedding"]


def work(make: Make, dim: int, workers: int) -> Callable[[], object]:
    """Return a function that computes all products of the model once in each worker."""
    random = np.random.default_rng(dim)

    def products() -> list[Product]:
        return [make(random.integers(-125, 126, (ROWS, k)), random.integers(-2, 3, (k, n)))[0] for k, n in shapes(dim)]

    def compute(own: list[Product]) -> None:
        for product in own:
            product()

    everyone = [products() for _ in range(workers)]
    return lambda: map_items(compute, everyone)


def speeds(makes: dict[str, Make]) -> dict[tuple[str, int, int], float]:
    """Return the best speed in 1e9 multiply-accumulates per second by library, width and workers; runs alternate."""
    figures = [(name, dim, workers) for dim in WIDTHS for workers in WORKERS for name in makes]
    works = {(name, dim, workers): work(makes[name], dim, workers) for name, dim, workers in figures}
    spent, least = dict.fromkeys(figures, 0.0), dict.fromkeys(figures, np.inf)
    while left := [figure for figure in figures if spent[figure] < SECONDS]:
        for figure in left:
            start = perf_counter()
            works[figure]()
            seconds = perf_counter() - start
            spent[figure], least[figure] = spent[figure] + seconds, min(least[figure], seconds)
    return {(name, dim, n): n * ROWS * Model(dim=dim).macs / least[name, dim, n] / 1e9 for name, dim, n in figures}


def needed(package: str) -> set[str]:
    """Return a package and its transitive dependencies except NumPy, which the kit requires anyway."""
    found: set[str] = set()
    left = [package]
    while left:
        name = left.pop().lower()
        if name in found or (name == "numpy" and package != "numpy"):
            continue
        try:
            requires = distribution(name).requires or []
        except PackageNotFoundError:
            continue  # for another platform
        found.add(name)
        needs = [Requirement(text) for text in requires]
        left += [need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
    return found


def megabytes(packages: list[str]) -> float:
    files = [
        Path(str(file.locate()))
        for name in set().union(*map(needed, packages))
        for file in distribution(name).files or []
        if file.suffix != ".pyc"
    ]
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def import_seconds(packages: list[str]) -> float:
    """Return the shortest of three import times, in processes that have imported NumPy already."""
    first = "" if packages == ["numpy"] else "import numpy; "
    code = f"{first}import time; t = time.perf_counter(); import {', '.join(packages)}; print(time.perf_counter() - t)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(3)]
    return min(float(run.stdout) for run in runs)


def processor() -> str:
    """Return a phrase that lists the int8-related instruction set extensions of the processor."""
    try:
        flags = set(re.findall(r"\w+", Path("/proc/cpuinfo").read_text()))
    except OSError:
        return "of unknown features"
    features = {"AVX2": {"avx2"}, "AVX-512": {"avx512f"}, "VNNI": {"avx512_vnni", "avx_vnni"}}
    has = [name for name, names in features.items() if names & flags]
    lacks = [name for name, names in features.items() if not names & flags]
    parts = (("with", has, " and "), ("without", lacks, " or "))
    return ", ".join(f"{word} {joint.join(names)}" for word, names, joint in parts if names)


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    makes: dict[str, Make] = {"numpy": of_backend("numpy"), "onnxruntime": of_backend("int8"), "torch": of_torch}
    try:
        version("torch")
    except PackageNotFoundError:
        print("torch is not installed: it is left out", file=sys.stderr)
        del makes["torch"]
    with one_blas_thread():
        exact = {name: exact_up_to(make) for name, make in makes.items()}
        speed = speeds(makes)
    columns = [(dim, workers) for dim in WIDTHS for workers in WORKERS]
    measured = table(
        ["GMAC/s", *(f"{dim} wide, {'one thread' if n == 1 else f'{n} workers'}" for dim, n in columns)],
        [[TITLES[name], *(f"{speed[name, *column]:.1f}" for column in columns)] for name in makes],
    )
    costs = table(
        ["library", "largest weight that is exact", "MB on disk", "import, s"],
        [
            [
                f"{' and '.join(f'{package} {version(package)}' for package in PACKAGES[name])}",
                str(exact[name]),
                f"{megabytes(PACKAGES[name]):.0f}",
                f"{import_seconds(PACKAGES[name]):.2f}",
            ]
            for name in makes
        ],
    )
    text = f"""# Which library multiplies bytes

`python research/int8_backend.py` remakes this page. Measured: all products of a language model of one layer with its
shared weights, {ROWS:,} rows in each worker, every library with one thread a worker, in turn; the fastest round of many
counts. The machine has two cores {processor()}.

{measured}

Sums are int32 or float32 and are compared with NumPy's int64 for operands of 127 and -128 in 512 columns and weights of
±{", ±".join(map(str, WEIGHTS))}. Size is that of the packages and of all that comes with them, but NumPy; the time of
an import is that in a process that has NumPy already.

{costs}

**ONNX Runtime multiplies for the backend `int8`.** It is the fastest in every column of the first table, and brings a
fraction of what PyTorch brings. With VNNI, PyTorch's `_int_mm` may do better than here: run this again there.

The price is a limit. Without VNNI, ONNX Runtime adds two products of bytes in 16 bits, and what does not fit is cut
off: with operands up to 255 only weights up to 64 are always right. Five-level weights are far below that. The limit is
found when the backend is made, by trying (`pentary/nets/products.py`), and a model that exceeds it is refused.
"""
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
