"""Training on the processor model: digests, cycles, lanes, memory, and simulation speed.

Run `python research/machine.py` to regenerate machine.md, machine.png and profile.png in its folder (about two minutes
on two otherwise idle cores). Training and speed are measured through the command line.
"""

import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pentary.asm import assemble
from pentary.es.strategy import Parameters
from pentary.machine.config import Config, LowRank
from pentary.programs.training import memory_map, prepare
from pentary.runs.plots import as_png, new_figure
from pentary.tasks.digits import Digits
from pentary.tasks.target import Target
from pentary_sim.events import CAUSES, UNITS
from pentary_sim.profile import COLOURS, picture
from pentary_sim.simulator import Simulator

HERE = Path(__file__).parent

RUNS = {
    "target, quantized": "target --perturb quantized --steps 50",
    "target, factored": "target --perturb factored --steps 50",
    "digits": "digits --population 64 --steps 3",
}
SEEDS = (0, 1, -76_293_945_312)
LANES = (16, 64, 256)


def pentary(work: Path, arguments: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-m", "pentary", *arguments.split(), "--json"], cwd=work, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"pentary {arguments}: {done.stderr}")
    return json.loads(done.stdout)


def digests(folder: Path) -> list[str]:
    return [json.loads(line)["digest"] for line in (folder / "steps.jsonl").read_text().splitlines()]


def equal_digests(work: Path) -> Iterator[str]:
    yield "| run | seed | steps | digests that differ | cycles | seconds, numpy and sim |"
    yield "|---|---|---|---|---|---|"
    for arguments in RUNS.values():
        for seed in SEEDS:
            runs = [pentary(work, f"train {arguments} --seed {seed} --engine {engine}") for engine in ("numpy", "sim")]
            one, other = (digests(work / run["out"]) for run in runs)
            differing = sum(a != b for a, b in zip(one, other, strict=True))
            seconds = " and ".join(f"{run['seconds']:.1f}" for run in runs)
            yield f"| `{arguments}` | {seed} | {len(one) - 1} | {differing} | {runs[1]['cycles']:,} | {seconds} |"


def by_lanes(work: Path) -> Iterator[str]:
    """Yield a comparison of numbers of lanes over some training steps, and draw the cycles by cause."""
    bars = {}
    yield "| run | lanes | cycles a step | times faster than 16 | low-rank unit busy | utilization while multiplying |"
    yield "|---|---|---|---|---|---|"
    for name, arguments in RUNS.items():
        cycles = {}
        for lanes in LANES:
            config = work / f"{lanes}.toml"
            config.write_text(f"[lowrank]\nlanes = {lanes}\n")
            run = pentary(work, f"train {arguments} --engine sim --config {config}")
            lines = [json.loads(line) for line in (work / run["out"] / "steps.jsonl").read_text().splitlines()]
            first, *_, last = lines
            steps = len(lines) - 1
            cycles[lanes] = (last["cycles"] - first["cycles"]) / steps
            busy = (last["counts"]["lowrank_busy_cycles"] - first["counts"]["lowrank_busy_cycles"]) / (
                last["cycles"] - first["cycles"]
            )
            yield (
                f"| {name} | {lanes} | {cycles[lanes]:,.0f} | {cycles[16] / cycles[lanes]:.2f} | {busy:.1%} | "
                f"{run['lowrank_utilization']:.1%} |"
            )
            bars[f"{name}, {lanes} lanes"] = {
                cause: (last["causes"][cause] - first["causes"][cause]) / steps / cycles[16] for cause in CAUSES
            }
    (HERE / "machine.png").write_bytes(drawn(bars))


def drawn(bars: dict[str, dict[str, float]]) -> bytes:
    """Draw a stacked bar for each machine, relative to the cycles of the one with 16 lanes."""
    present = [cause for cause in COLOURS if any(bar[cause] > 0 for bar in bars.values())]
    figure = new_figure(9, 1.4 + 0.34 * len(bars), "Cycles of a training step, those with 16 lanes being 1")
    axes = figure.subplots()
    starts = [0.0] * len(bars)
    for cause in present:
        widths = [bar[cause] for bar in bars.values()]
        axes.barh(range(len(bars)), widths, 0.72, starts, color=COLOURS[cause], label=cause)
        starts = [start + width for start, width in zip(starts, widths, strict=True)]
    axes.set_yticks(range(len(bars)), list(bars))
    axes.set(xlim=(0, 1.05), ylim=(len(bars) - 0.5, -0.5))
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=6, fontsize="small", frameon=False)
    return as_png(figure)


def multiplying() -> Iterator[str]:
    """Yield the utilisation of LRMUL alone, from the start of the first row to the end of the last."""
    yield "| lanes | cycles for 64 x 64, rank 8 | multiply-accumulates / (lanes x cycles) |"
    yield "|---|---|---|"
    for lanes in LANES:
        machine = Simulator(assemble(HERE / "lrmul.s"), Config(lowrank=LowRank(lanes=lanes)), trace=True)
        machine.run()
        events = machine.take_events().records
        multiplies = events[
            (events["unit"] == UNITS.index("lowrank")) & (events["pc"] == machine.program.address("row"))
        ]
        cycles = multiplies["free"].max() - multiplies["start"].min()
        yield f"| {lanes} | {cycles:,} | {machine.counts['lowrank_macs'] / (lanes * cycles):.1%} |"


def maps() -> Iterator[str]:
    yield "| program | region | first address | words | holds |"
    yield "|---|---|---|---|---|"
    tasks = {"target": (Target(), Target.defaults), "digits": (Digits(), Digits.defaults)}
    for name, (task, parameters) in tasks.items():
        for region in memory_map(prepare(task, parameters)):
            yield f"| {name} | {region.name} | {region.first:,} | {region.words:,} | {region.what} |"


def main() -> None:
    work = Path(tempfile.mkdtemp())
    speed = [pentary(work, "bench sim") for _ in range(2)]
    sections = {
        "The same digests": [
            "Every step of both engines, the start included.",
            "",
            *equal_digests(work),
        ],
        "Lanes": [
            "Steps after the start, whole: evaluation, shaping, update.",
            "",
            *by_lanes(work),
            "",
            "![Cycles by cause and lanes](machine.png)",
            "",
            "Rows of 64 columns fill 64 lanes; with 256 lanes three quarters of them have nothing to do, as the",
            "utilization says, and wider matrices use them. What 256 lanes gain here are shorter LRGEN, LRADD, LRACC",
            "and POPAVG: there are 16 generators, and a row of 64 elements is one beat instead of four.",
            "",
            "`digits` at rank 1 gives the lanes little to do: an image and a pair of members take 276",
            "multiply-accumulates in three LRMULX, whose depth (log2 lanes + 3 cycles) outweighs the products, as do",
            "the beats of the LRACC behind them. Two MATVECs of 16 cycles, the loss, and the instructions themselves",
            "(`issue` in the picture) do not depend on lanes.",
        ],
        "LRMUL alone": [
            "`research/lrmul.s`: from the start of the first LRMUL to the end of the last.",
            "",
            *multiplying(),
        ],
        "Where the cycles go": [
            "`pentary profile` of two steps of `target`, quantized, 16 lanes:",
            "",
            "![Profile of target](profile.png)",
        ],
        "Memory": [
            "Only `fitness` grows with the population: a word for each member (a test says so).",
            "",
            *maps(),
        ],
        "Speed of the model": [
            "`pentary bench sim --json`, two runs:",
            "",
            "| figure | first | second |",
            "|---|---|---|",
            *(f"| {name} | " + " | ".join(f"{run[name]:,}" for run in speed) + " |" for name in speed[0]),
        ],
    }
    parameters = Parameters(steps=2)
    machine = Simulator(prepare(Target(), parameters).program)
    machine.run()
    picture(HERE / "profile.png", machine.program, machine.profile, "target, 2 steps")
    text = "\n".join(
        [
            "# The processor in training",
            "",
            "`python research/machine.py` remakes this page. Cycles are exact and the same everywhere; seconds are of",
            f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, two cores.",
            *(line for title, lines in sections.items() for line in ("", f"## {title}", "", *lines)),
        ]
    )
    (HERE / "machine.md").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
