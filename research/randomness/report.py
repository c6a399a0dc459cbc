"""Report of the measurements as Markdown."""

import textwrap
from collections import Counter
from collections.abc import Iterable
from typing import Any

import alternatives
from reference import CHOSEN, REJECTED
from streams import STREAMS, WORDS
from structure import APPROXIMATED, RELATIONS, ROUNDS, SAMPLES, SUM_KEYS

from pentary.lowrank import generator
from pentary.numbers.word import PENTS

Found = dict[str, Any]


def _table(header: Iterable[str], rows: Iterable[Iterable[str]], align: str = "---:") -> str:
    head = list(header)
    lines = [head, ["---", *[align] * (len(head) - 1)], *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _by_rounds(header: Iterable[str], cells: Iterable[Iterable[str]]) -> str:
    return _table(["rounds", *header], [[str(n), *row] for n, row in zip(ROUNDS, cells, strict=True)])


def _p(value: float) -> str:
    return "0" if value < 1e-300 else f"{value:.0e}" if value < 1e-3 else f"{value:.3f}"


def _enough(columns: Iterable[Iterable[float]]) -> str:
    """Return a sentence: the number of rounds from which no p-value of the table is below 0.001."""
    worst = [min(row) for row in zip(*columns, strict=True)]
    enough = max((n + 1 for n, p in zip(ROUNDS, worst, strict=True) if p < 0.001), default=1)
    return f"From {enough} rounds on no value is below 0.001; the generator has {generator.ROUNDS}."


def _heading(found: Found) -> list[str]:
    return [
        "# Randomness, measured",
        f"""`python research/randomness` remakes this text, `randomness.png` and `randomness.json` (every p-value),
        dieharder included; `--quick` leaves dieharder out. The generator is specified in
        `architecture/randomness.md`: a keyed bijection of 16-pent words in {generator.ROUNDS} rounds. Generator
        measured: {found["generator"]} (the start of a SHA-256 digest of 1,000 words).""",
        "![Related inputs, linear approximations and p-values](randomness.png)",
    ]


def _streams(found: Found) -> list[str]:
    streams = found["streams"]
    sizes = ", ".join(f"{len(values)} of {name}" for name, values in next(iter(streams["full"].values())).items())
    again = ", ".join(_p(p) for p in streams["least again"])
    bonferroni = min(1, streams["least"] * streams["tests"])
    return [
        "## Tests on pents, by number of rounds",
        f"Each stream is {WORDS:,} words from inputs of low entropy, as training has them:",
        _table(["stream", "words in order"], STREAMS.items(), "---"),
        f"""p-values of a stream: {sizes}. Single pents, pairs and triples (no pent serves twice) and pairs of
        positions (among the 16 of a word, and from a word to the next) are chi-square tests. Ranks of matrices
        over GF(5) and linear complexities of 64 pents (Berlekamp–Massey) are compared with their exact
        distributions. The table gives the smallest p-value times the number of tests (Bonferroni; at most 1).
        The words of `keys` and `diagonal` pass the generator once; the others also have a key that came from
        it.""",
        _by_rounds(streams["smallest"], zip(*([_p(x) for x in p] for p in streams["smallest"].values()), strict=True)),
        _enough(streams["smallest"].values()),
        f"""At {generator.ROUNDS} rounds there are {streams["tests"]:,} p-values; the smallest is
        {streams["least"]:.1e}, times their number {bonferroni:.2f}. All of them against the uniform
        distribution (Kolmogorov–Smirnov): p = {streams["uniform"]:.3f}. The stream with the smallest is
        `{streams["least stream"]}`; with four other seeds its smallest p-value times the number of tests is
        {again}.""",
    ]


def _related(found: Found) -> list[str]:
    rows = found["avalanche"]
    return [
        "## Related inputs",
        f"""{SAMPLES:,} pairs of inputs for each changed pent; the difference of every result pent should be
        uniform. The table gives the smallest p-value times the number of tests.""",
        _table(["relation", "of the two inputs"], RELATIONS.items(), "---"),
        _by_rounds(rows, zip(*([_p(row["smallest"]) for row in rows[name]] for name in rows), strict=True)),
        _enough([row["smallest"] for row in rows[name]] for name in rows),
    ]


def _linear(found: Found) -> list[str]:
    linear, (chosen, rejected) = found["linear"], (str(CHOSEN), str(REJECTED))
    columns = [
        cells
        for name in (chosen, rejected)
        for cells in ([f"{row['largest']:.3f}" for row in linear[name]], [_p(row["p"]) for row in linear[name]])
    ]
    return [
        "## Linear approximations",
        f"""A sum of one or two pents of the counter, with any coefficients, against a sum of one or two pents of
        the result: all of them, under the key 2026, a plain seed, over {APPROXIMATED:,} random counters. The
        table gives the largest correlation, |mean of exp(2πi·sum/5)|, and the p-value of so large a one among
        all.""",
        f"""The mixing layer decides. It is written here as the places that pent j sums. {rejected} is what the
        generator had at first: there the difference of two sums is the difference of two pents, and equal
        pents have equal cubes, so that whether two pents are equal comes through a round unchanged where the
        round key adds the same to both. No number of rounds mends that. {chosen} costs the same; no two of its
        places are as far apart as two others, so two sums share one pent at most, and their difference has
        four or six.""",
        _by_rounds([f"{chosen}: largest", "p", f"{rejected}: largest", "p"], zip(*columns, strict=True)),
        f"""The tests on pents see it as well. For {rejected} in {generator.ROUNDS} rounds the smallest p-values times
        the number of tests are, on the streams above: """
        + ", ".join(f"{name} {_p(p)}" for name, p in found["streams"]["rejected"].items())
        + ".",
    ]


def _cubes(found: Found) -> list[str]:
    cubes, (chosen, rejected) = found["cubes"], (str(CHOSEN), str(REJECTED))
    one, square = found["cube"]["difference"], found["cube"]["linear"]
    differences, masks = cubes[chosen]["differences"][-1], cubes[chosen]["masks"][-1]
    columns = [[str(n) for n in cubes[name][kind]] for name in (chosen, rejected) for kind in ("differences", "masks")]
    return [
        "## Bounds without sampling",
        f"""The least number of cubes that any difference, and any mask of a linear approximation, must pass
        without being 0 there, in all rounds together. The search is exhaustive where few pents differ and
        permits every step elsewhere, so these are lower bounds. One cube keeps a difference with probability
        {one:.2f} at most, and has a squared correlation of {square:.3f} at most.""",
        _by_rounds([f"{chosen}: differences", "masks", f"{rejected}: same", "masks"], zip(*columns, strict=True)),
        f"""So a path of differences over {len(ROUNDS)} rounds has a probability of at most {one**differences:.1e},
        and a path of masks a squared correlation of at most {square**masks:.1e}; 5^-16 is {5.0**-PENTS:.1e}.
        (A path is one way through the rounds, the round keys taken as independent; several paths can add up.)""",
    ]


def _sums(found: Found) -> list[str]:
    shares = ([f"{share:.3f}" for share in row] for row in found["zero sums"])
    shares = ([f"{share:.3f}" for share in row] for row in found["zero sums"])
    shares = ([f"{share:.3f}" for share in row] for row in found["zero sums"])
    shares = ([f"{share:.3f}" for share in row] for row in found["zero sums"])
    return [
        "## Sums over all blocks",
        f"""The share of result pents that sum to 0 modulo 5 over the 5^k counters that differ in their k lowest
        pents only, for {SUM_KEYS} keys; at random it is 0.2, at k = 8 (of {16 * SUM_KEYS} sums) give or take
        0.05. The cube has degree 3, so in few rounds such sums vanish by algebra.""",
        _by_rounds([f"k = {k}" for k in range(1, 9)], shares),
    ]


def _correlation(found: Found) -> list[str]:
    rows = found["correlation"]
    cells = (
        [
            row["neighbours"],
            row["of"],
            f"{row['mean']:+.5f} ± {row['mean error']:.5f}",
            _p(row["mean p"]),
            f"{row['square']:.3f} ± {row['square error']:.3f}",
            _p(row["square p"]),
        ]
        for row in rows
    )
    least = min(min(row["mean p"], row["square p"]) for row in rows)
    return [
        "## Correlation between neighbours",
        """Pearson correlation over 2,000 disjoint pairs of neighbours, of the pents and of perturbations E = A·Bᵀ
        (32 × 32). Its mean should be 0; its mean square, times the number of elements, should be 1.""",
        _table(["neighbours", "of", "mean", "p", "square", "p"], cells),
        f"{2 * len(rows)} p-values, the smallest {least:.3f}, times their number {min(1, least * 2 * len(rows)):.2f}.",
    ]


def _battery(found: Found) -> list[str]:
    how = """The pents come as training draws them: 128 of each of 1,024 members, three matrices in turn, step
        after step. 28 pents make two 32-bit words exactly uniformly: their number in [0, 5^28) is rejected
        from 2^65 on, 1 time in 101, and else taken modulo 2^64. Not run are what dieharder marks "Do Not
        Use" and 28 of the 33 lagged sums; gcd, bit distribution, minimum distance and lagged sums have
        fewer repeats than by default, as the table says."""
    if found["battery"] is None:
        return ["## dieharder", how, "Not run: dieharder was missing (Debian package `dieharder`), or left out."]
    results, repeats = found["battery"]["results"], found["battery"]["repeats"]
    counts = Counter(row["assessment"] for row in results)
    words = sum({(row["test"], row["first_step"]): row["words"] for row in results}.values())
    verdict = ", ".join(f"{counts[kind]} {kind}" for kind in ("PASSED", "WEAK", "FAILED"))
    again = [f"{row['name']} {row['ntuple']}: p = {row['p']:.4f} {row['assessment']}" for row in repeats]
    header = ["test", "ntuple", "samples", "repeats", "p", "assessment"]
    cells = (
        [
            row["name"],
            str(row["ntuple"]),
            f"{row['tsamples']:,}",
            str(row["psamples"]),
            f"{row['p']:.4f}",
            row["assessment"],
        ]
        for row in results
    )
    return [
        "## dieharder",
        how,
        f"""{len(results)} p-values from {words:,} words: {verdict}. WEAK means p below 0.005 or above 0.995, which
        sound words give once in a hundred.""",
        f"Each test that was not PASSED was run once more with another seed: {'; '.join(again) or 'none'}.",
        _table(header, cells),
    ]


def _adders(method: str) -> str:
    """Return the number of modulo-5 adders per pent: of the rounds, or of the feedback plus its share of the state."""
    word = PENTS + generator.ROUNDS * PENTS * len(CHOSEN.places)  # key first; each round: 2 to mix, 1 for the key
    if method.startswith("linear"):
        blocks = int(method.split()[2]) // PENTS
        feedback = len(alternatives.FEEDBACK[blocks]) - 1
        return f"{feedback} + {blocks * word / alternatives.ROW:g} for the state"
    return f"{word / PENTS:g}" if method.startswith("keyed") else "none; 20 products of 64 × 64 bits for 16 pents"


def _alternatives(found: Found) -> list[str]:
    bias = float(alternatives.philox_bias())
    repeated = found["repeated"]
    header = ["method", "M pents/s", "ratio", "exactly uniform", "smallest p × tests"]
    header += ["complexity", "rank", "adders a pent"]
    cells = (
        [
            row["method"],
            f"{row['pents per second'] / 1e6:.0f}",
            f"{row['ratio']:.2f}",
            f"no, off by up to {bias:.1e}" if row["method"].startswith("Philox") else "yes",
            _p(row["p"]),
            str(row["complexity"]),
            str(row["rank"]),
            _adders(row["method"]),
        ]
        for row in found["alternatives"]
    )
    return [
        "## Alternatives",
        f"""One core, one BLAS thread, the same 1,024 × 128 pents, in turns; the fastest of {alternatives.REPEATS}
        runs. The linear codes draw a state of 16 or 32 pents with the keyed bijection and multiply it by a
        fixed matrix modulo 5, which gives the next 128 pents of a linear feedback register. Of random pents,
        128 have a linear complexity of about 64, and 128 members × 128 pents a rank of 127 or 128.""",
        _table(header, cells),
        """Each gives any member's pents without the others'; Philox by setting its counter, for whole blocks of
        256 bits. The keyed bijection was chosen because it alone is exactly uniform, made of the machine's own
        pents, and without linear relations between the pents of a member. Its drawbacks:""",
        "- Software has faster ones, by the ratios above; in hardware a linear register needs fewer adders a pent.",
        f"""- A key's words are drawn without replacement. Among {repeated["words"]:,} words of one key
        {repeated["one key"]:.0f} are repeated, where independent words would have {repeated["expected"]:.1f}
        on average; words of as many different keys have {repeated["different keys"]:.0f}. So a birthday test
        over some 10^6 words of one key tells it from independent draws.""",
        """- A key is one of 5^16, about 37 bits. Matrices of two different seeds can have the same key, as any two
        random words can be equal.""",
    ]


def text(found: Found) -> str:
    """Return the report."""
    sections = (_heading, _streams, _related, _linear, _cubes, _sums, _correlation, _battery, _alternatives)
    blocks = [block for section in sections for block in section(found)]
    return "\n\n".join(block if block[0] in "|!#" else _filled(block) for block in blocks) + "\n"


def _filled(paragraph: str) -> str:
    hanging = "  " if paragraph.startswith("- ") else ""
    return textwrap.fill(" ".join(paragraph.split()), 120, subsequent_indent=hanging, break_on_hyphens=False)
