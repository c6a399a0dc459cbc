"""Import dependencies between packages, and the page that documents them."""

import importlib.util
from pathlib import Path

import pytest

import pentary

ROOT = Path(pentary.__file__).parents[1]

_spec = importlib.util.spec_from_file_location("overview", ROOT / "architecture" / "overview.py")
assert _spec is not None and _spec.loader is not None
overview = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(overview)

ARROWS = overview.arrows()


def test_every_package_has_its_floor_and_nothing_lies_beside_them() -> None:
    # What git has left of folders that have moved holds compiled code only.
    lying = {path.name for path in (ROOT / "pentary").iterdir() if path.is_file() or any(path.rglob("*.py"))}
    packages = {package for floor in overview.FLOORS for package in floor}
    assert lying - packages <= {"__init__.py", "__main__.py", "py.typed"}
    assert packages <= lying


@pytest.mark.parametrize("package", ARROWS)
def test_a_package_imports_from_lower_floors_and_from_its_own(package: str) -> None:
    floors = {package: height for height, floor in enumerate(overview.FLOORS) for package in floor}
    upward = {target for target in ARROWS[package] if floors[target] > floors[package]}
    assert upward == set()


def circles(arrows: dict[str, set[str]]) -> set[str]:
    """Return the nodes that are on or lead to cycles: what is left after repeated removal of nodes without targets."""
    left = {node: set(targets) for node, targets in arrows.items()}
    while free := {node for node, targets in left.items() if not targets & left.keys()}:
        left = {node: targets for node, targets in left.items() if node not in free}
    return set(left)


def test_packages_import_each_other_without_a_circle() -> None:
    assert circles({package: set(targets) for package, targets in ARROWS.items()}) == set()
    assert circles({"a": {"b"}, "b": {"a"}, "c": {"a"}, "d": set()}) == {"a", "b", "c"}


@pytest.mark.parametrize("tree", ["pentary", "sim/pentary_sim", "hdl/pentary_hdl"])
def test_modules_import_each_other_without_a_circle(tree: str) -> None:
    top = ROOT / tree
    names = {}
    for file in top.rglob("*.py"):
        parts = (top.name, *file.relative_to(top).with_suffix("").parts)
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    arrows = {
        name: {
            target
            for each in overview.imports(file)
            for target in (each if each in names else each.rpartition(".")[0],)
            if target in names and target != name and names[target].name != "__init__.py"
        }
        for name, file in names.items()
    }
    assert circles(arrows) == set()


def test_sim_and_hdl_import_pentary_and_never_each_other() -> None:
    for tree, other in (("sim", "pentary_hdl"), ("hdl", "pentary_sim")):
        for file in (ROOT / tree).rglob("*.py"):
            assert not [name for name in overview.imports(file) if name.split(".")[0] == other], file


def test_the_page_is_current() -> None:
    text = (ROOT / "architecture" / "overview.md").read_text(encoding="utf-8")
    assert text == overview.document(), "stale: python architecture/overview.py"
