"""The packages of `pentary` and their imports: `python architecture/overview.py` writes overview.md and overview.png.

Everything but the prose comes from the sources. `FLOORS` is the order that a test holds the imports to.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
HERE: Final = Path(__file__).parent

FLOORS: Final = (
    ("numbers",),
    ("support",),
    ("lowrank",),
    ("es", "runs", "isa"),
    ("distributed", "nets", "asm", "interpreter", "machine", "randomprogram"),
    ("tasks", "compile", "programs"),
    ("cli", "estimators"),
)
"""Packages of `pentary`, from the ground up; each may import from lower floors, and from its own without a circle."""


def imports(file: Path) -> Iterator[str]:
    """Yield the modules, or names in modules, that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{each.name}" for each in node.names)
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names)


def arrows() -> dict[str, dict[str, int]]:
    """Return how many import statements of each package go to each other package of `pentary`."""
    packages = [package for floor in FLOORS for package in floor]
    found: dict[str, dict[str, int]] = {package: {} for package in packages}
    for package in packages:
        for file in sorted((ROOT / "pentary" / package).rglob("*.py")):
            targets = {tuple(name.split(".")[:3]) for name in imports(file) if name.startswith("pentary.")}
            for target in sorted({parts[1] for parts in targets} & set(packages) - {package}):
                found[package][target] = found[package].get(target, 0) + 1
    return found


def direct(found: dict[str, dict[str, int]]) -> dict[str, set[str]]:
    """Return the packages that each imports, without those that another of them imports, directly or not."""

    def below(package: str) -> set[str]:
        return {*found[package]}.union(*(below(target) for target in found[package]))

    return {
        package: set(targets) - {far for target in targets for far in below(target)}
        for package, targets in found.items()
    }


def document() -> str:
    """Return the text of overview.md."""
    drawn = arrows()
    rows = ["| package | holds | modules | imports |", "|---|---|---:|---|"]
    for floor in reversed(FLOORS):
        for package in floor:
            folder = ROOT / "pentary" / package
            purpose = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
            modules = len(list(folder.rglob("*.py"))) - 1
            told = purpose.split("\n\n")[0].replace("\n", " ")
            targets = ", ".join(sorted(drawn[package]))
            rows.append(f"| [{package}](../pentary/{package}) | {told} | {modules} | {targets} |")
    text = Template((HERE / "overview.md.in").read_text(encoding="utf-8"))
    return text.substitute(packages="\n".join(rows), arrows=sum(map(len, drawn.values())))


def picture(path: Path) -> None:
    """Draw the packages by floors, with the arrows of `direct`."""
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

    drawn = direct(arrows())
    edge = 1.1 * max(map(len, FLOORS))
    figure = Figure(figsize=(2 * edge, 8.5), dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set_xlim(-edge, edge)
    axes.set_ylim(-0.6, len(FLOORS) - 0.4)
    places = {}
    for height, floor in enumerate(FLOORS):
        for number, package in enumerate(floor):
            places[package] = ((number - (len(floor) - 1) / 2) * 2.2, height)
    for package, targets in drawn.items():
        for target in sorted(targets):
            (x, y), (to_x, to_y) = places[package], places[target]
            bend = 0.0 if y - to_y <= 1 else 0.3 if to_x > x else -0.3  # around what lies between
            style = {"arrowstyle": "-|>", "mutation_scale": 9, "color": f"C{FLOORS.index(_floor(package))}"}
            start = (x, y - 0.24) if y > to_y else (x + (0.85 if to_x > x else -0.85), y)
            end = (to_x, to_y + 0.24) if y > to_y else (to_x - (0.85 if to_x > x else -0.85), to_y)
            axes.add_patch(
                FancyArrowPatch(start, end, connectionstyle=f"arc3,rad={bend}", linewidth=1, alpha=0.65, **style)
            )
    for package, (x, y) in places.items():
        color = f"C{FLOORS.index(_floor(package))}"
        axes.add_patch(
            FancyBboxPatch((x - 0.78, y - 0.17), 1.56, 0.34, boxstyle="round,pad=0.06", fc="white", ec=color, lw=1.6)
        )
        axes.text(x, y, package, ha="center", va="center", fontsize=11)
    figure.savefig(path, metadata={"Software": None})


def _floor(package: str) -> tuple[str, ...]:
    return next(floor for floor in FLOORS if package in floor)


if __name__ == "__main__":
    (HERE / "overview.md").write_text(document(), encoding="utf-8")
    picture(HERE / "overview.png")
