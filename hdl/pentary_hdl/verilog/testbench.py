"""Testbenches in plain Verilog for any simulator, with stimulus and the expected outputs from the reference model.

Each testbench plays its stimulus twice, from a reset on (that of the streams first at full speed, then with pauses),
prints a line that begins with PASS or FAIL, and after FAIL ends the simulator with a status other than 0.
"""

from collections.abc import Iterable, Iterator, Sequence
from random import Random
from string import Template
from typing import Final, NamedTuple

from amaranth.lib.wiring import In

from pentary.isa.table import CONTROLS
from pentary.lowrank.generator import MEMBER_MAX
from pentary.numbers.word import PENTS, limit
from pentary_hdl.bus.wrapper import REGISTERS, WINDOWS, LowRankBus
from pentary_hdl.lralu.decoder import COMMAND
from pentary_hdl.lralu.twin import (
    ELEMENT_BITS,
    IN_PENTS,
    LATENT_BITS,
    OPS,
    Command,
    LowRankModel,
    LowRankParameters,
    Outcome,
    binary_code,
    command,
)
from pentary_hdl.lralu.unit import LowRankAlu
from pentary_hdl.verilog.description import operands, rows
from pentary_hdl.verilog.export import ports

_ADDRESS: Final = {entry.name: entry.address for entry in (*REGISTERS, *WINDOWS)}
_WRITE, _REFUSED, _READ, _WAIT = range(4)


_SENT: Final = {
    "declarations": """\
  reg [$high:0] ${stream}_list [0:$last];
  reg [$high:0] ${stream}_payload = 0;
  reg ${stream}_valid = 0;
  wire ${stream}_ready;
  integer ${stream}_count = 0;
""",
    "resets": """\
      ${stream}_valid <= 0;
      ${stream}_count <= 0;
""",
    "drives": """\
      if (!${stream}_valid || ${stream}_ready) begin
        ${stream}_valid <= ${stream}_count < $count && !(pausing && noise[$bit]);
        if (${stream}_count < $count && !(pausing && noise[$bit])) begin
          ${stream}_payload <= ${stream}_list[${stream}_count];
          ${stream}_count <= ${stream}_count + 1;
          quiet <= 0;
        end
      end
""",
    "ends": """\
      if (${stream}_count != $count || ${stream}_valid) begin
        $$display("${stream}: %0d of $count were taken", ${stream}_count - ${stream}_valid);
        faults = faults + 1;
      end
""",
}
_RECEIVED: Final = {
    "declarations": """\
  reg [$high:0] ${stream}_list [0:$last];
  wire [$high:0] ${stream}_payload;
  wire ${stream}_valid;
  reg ${stream}_ready = 0;
  integer ${stream}_count = 0;
""",
    "resets": """\
      ${stream}_ready <= 0;
      ${stream}_count <= 0;
""",
    "drives": """\
      ${stream}_ready <= !(pausing && noise[$bit]);
      if (${stream}_valid && ${stream}_ready) begin
        if (${stream}_count >= $count) begin
          $$display("${stream}: more than the $count that there are to be");
          faults = faults + 1;
        end else if (${stream}_payload !== ${stream}_list[${stream}_count]) begin
          $$display("${stream}, number %0d: %h, not %h", ${stream}_count, ${stream}_payload,
                   ${stream}_list[${stream}_count]);
          faults = faults + 1;
        end
        ${stream}_count <= ${stream}_count + 1;
        quiet <= 0;
      end
""",
    "ends": """\
      if (${stream}_count != $count) begin
        $$display("${stream}: %0d of $count came", ${stream}_count);
        faults = faults + 1;
      end
""",
}
_VERDICT: Final = """\
    if (faults == 0) begin
      $$display("PASS: $module, $told");
      $$finish;
    end else begin
      $$display("FAIL: $module, %0d faults or more", faults);
      $$fatal(1, "FAIL");
    end
  end
endmodule
"""
"""The end of every testbench."""

_STREAM_BENCH: Final = """\
// Plays commands on $module, compares what comes with what the software twin answers, and prints PASS or FAIL.
/* verilator lint_off DECLFILENAME */  // the file may have any name
/* verilator lint_off PROCASSINIT */  // values at time 0
/* verilator lint_off BLKSEQ */  // faults are counted, and the clock runs, in blocking assignments
/* verilator lint_off WIDTHEXPAND */  // bits are counted in integers
/* verilator lint_off UNUSEDSIGNAL */  // every tenth bit or so of the noise is used
module ${module}_tb;
  reg clk = 0, rst = 1, pausing = 0;
  reg [30:0] noise = 31'h59d2_1ac3;
  integer pass, faults = 0, quiet = 0;
$declarations
  $module unit ($connections);

  always #1 clk = !clk;

  always @(posedge clk) begin
    noise <= {noise[29:0], noise[30] ^ noise[27]};
    quiet <= quiet + 1;
    if (rst) begin
$resets      quiet <= 0;
    end else begin
      if ((^{$known}) === 1'bx) begin
        $$display("a valid or ready is unknown at time %0t", $$time);
        faults = faults + 1;
      end
$drives    end
  end

  initial begin
$fills
    for (pass = 0; pass < 2; pass = pass + 1) begin
      pausing = pass == 1;
      rst = 1;
      repeat (4) @(negedge clk);
      rst = 0;
      // All has come, or nothing comes any more.
      while (quiet < $patience && faults < 10) @(negedge clk);
$ends    end
"""
_BUS_BENCH: Final = """\
// Drives $module over AXI4-Lite, compares what it answers with what the software twin does, and prints PASS or FAIL.
/* verilator lint_off DECLFILENAME */  // the file may have any name
/* verilator lint_off PROCASSINIT */  // values at time 0
/* verilator lint_off BLKSEQ */  // the clock runs in blocking assignments
module ${module}_tb;
  // Kinds of accesses: a write, a write that is to be refused, a read, and reads of STATUS until it is not busy.
  localparam [1:0] WRITE = 0, REFUSED = 1, READ = 2, WAIT = 3;
  reg [45:0] list [0:$last];  // kind, address, and the word to be written or read
  reg clk = 0, rst = 1;
$wires
  integer pass, number, faults = 0, waited;
  reg [1:0] kind, response;
  reg [11:0] address;
  reg [31:0] word, value;

  $module unit ($connections);

  always #1 clk = !clk;

  task put;
    begin
      s_axi_awaddr = address;
      s_axi_wdata = value;
      s_axi_wstrb = 4'hf;
      s_axi_awvalid = 1;
      s_axi_wvalid = 1;
      while (!(s_axi_awready && s_axi_wready)) @(negedge clk);
      @(negedge clk);
      s_axi_awvalid = 0;
      s_axi_wvalid = 0;
      s_axi_bready = 1;
      while (!s_axi_bvalid) @(negedge clk);
      response = s_axi_bresp;
      @(negedge clk);
      s_axi_bready = 0;
    end
  endtask

  task get;
    begin
      s_axi_araddr = address;
      s_axi_arvalid = 1;
      while (!s_axi_arready) @(negedge clk);
      @(negedge clk);
      s_axi_arvalid = 0;
      s_axi_rready = 1;
      while (!s_axi_rvalid) @(negedge clk);
      response = s_axi_rresp;
      word = s_axi_rdata;
      @(negedge clk);
      s_axi_rready = 0;
    end
  endtask

  initial begin
$fills
    for (pass = 0; pass < 2; pass = pass + 1) begin
      rst = 1;
      repeat (4) @(negedge clk);
      rst = 0;
      @(negedge clk);
      for (number = 0; number < $count && faults < 10; number = number + 1) begin
        {kind, address, value} = list[number];
        word = value;
        case (kind)
          WRITE, REFUSED: put;
          READ: get;
          WAIT: begin
            word = 1;
            for (waited = 0; word[0] !== 0 && waited < $patience; waited = waited + 1) get;
          end
        endcase
        if (response !== (kind == REFUSED ? 2'd2 : 2'd0) || word !== value) begin
          $$display("access %0d, kind %0d, address %h: answer %0d, word %h, not %h", number, kind, address, response,
                   word, value);
          faults = faults + 1;
        end
      end
    end
"""


class Step(NamedTuple):
    """Command with its operands and expected outputs.

    Attributes:
        command: fields of the command.
        rows: by stream, the row of operands that it takes, COLS elements.
        outcome: expected outputs.
        cols: value of COLS.
    """

    command: Command
    rows: dict[str, list[int]]
    outcome: Outcome
    cols: int


def steps(parameters: LowRankParameters) -> list[Step]:
    """Return commands of every kind, and examples of every kind of refusal, with their expected outputs.

    Args:
        parameters: parameters of the unit.
    """
    model, draw = LowRankModel(parameters), Random(1)
    return [_step(model, each, draw) for each in _commands(parameters, draw)]


def testbench(unit: LowRankAlu | LowRankBus, name: str) -> str:
    """Return the testbench of a unit, module `NAME_tb`.

    Args:
        unit: the component.
        name: name of its module.
    """
    return _bus_bench(unit, name) if isinstance(unit, LowRankBus) else _stream_bench(unit, name)


def _commands(parameters: LowRankParameters, draw: Random) -> Iterator[Command]:
    """Yield random commands: with the longest rows, with shorter ones, and then refused ones."""
    for rows_, cols, rank in (
        (min(32, parameters.max_size), parameters.max_size, min(3, parameters.max_rank)),
        (draw.randint(1, PENTS), draw.randint(1, parameters.max_size), 1),
    ):
        values = {"ROWS": rows_, "COLS": cols, "RANK": rank, "WIDTH": draw.randint(*CONTROLS["WIDTH"])}
        values |= {name: draw.randint(*CONTROLS[name]) for name in IN_PENTS}
        yield from (command("LRSET", name, value) for name, value in values.items())
        yield from (command("PRNG", *(draw.randint(-limit(PENTS), limit(PENTS)) for _ in "kc")) for _ in range(3))
        yield command("LRGEN", draw.randint(0, MEMBER_MAX))
        for row in (0, rows_ - 1):
            yield from (command("LRMUL", row), command("LRACC", draw.choice((-2, -1, 1, 2))), command("PQUANT"))
            yield from (command("LRADD", sign * draw.randint(1, limit(8))) for sign in (1, -1))
        yield command("POPAVG")
    yield from (Command(code) for code in range(16) if code not in OPS.values())
    for name, taken in operands(parameters).items():
        for operand in taken:
            for value in (operand.least - 1, operand.greatest + 1):
                if operand.format == "binary":
                    yield Command(OPS[name], a=binary_code(value))
            if operand.format == "pents":
                yield Command(OPS[name])._replace(**{operand.field: 3})
    yield command("LRGEN", MEMBER_MAX + 1)
    yield Command(OPS["LRSET"], len(CONTROLS))
    for name, most in (("ROWS", parameters.max_size), ("COLS", parameters.max_size), ("RANK", parameters.max_rank)):
        yield from (command("LRSET", name, value) for value in (0, most + 1))


def _step(model: LowRankModel, order: Command, draw: Random) -> Step:
    names = {code: name for name, code in OPS.items()}
    cols = model.controls["COLS"]
    taken = {
        stream: [draw.randint(-limit(pents), limit(pents)) for _ in range(cols)]
        for stream, pents in (rows(names[order.op]) if order.op in names else {}).items()
    }
    outcome = model.execute(order, **taken)
    return Step(order, {} if outcome.error else taken, outcome, cols)


def _beats(row: Sequence[int], bits: int, beat_elements: int) -> list[int]:
    """Return the beats that carry a row."""
    padded = [*row, *[0] * (-len(row) % beat_elements)]
    return [
        sum(binary_code(element, bits) << bits * i for i, element in enumerate(padded[at : at + beat_elements]))
        for at in range(0, len(padded), beat_elements)
    ]


def _filled(memory: str, width: int, contents: Iterable[int]) -> str:
    """Return Verilog statements that initialise a memory."""
    return "\n".join(f"    {memory}[{i}] = {width}'h{content:x};" for i, content in enumerate(contents))


def _stream_bench(unit: LowRankAlu, name: str) -> str:
    played, beat_elements = steps(unit.parameters), unit.parameters.beat_elements
    widths = {str(port.path[0]): len(port.value) for port in ports(unit) if port.path[1] == "payload"}
    contents: dict[str, list[int]] = {stream: [] for stream in widths}
    for step in played:
        fields = zip(step.command, Command._fields, strict=True)
        contents["commands"].append(sum(value << COMMAND[field].offset for value, field in fields))
        for stream, bits in (("base", ELEMENT_BITS), ("totals", LATENT_BITS)):
            contents[stream] += _beats(step.rows.get(stream, ()), bits, beat_elements)
        given = _beats(step.outcome.results, ELEMENT_BITS, beat_elements)
        contents["results"] += [
            beat | (i == len(given) - 1) << beat_elements * ELEMENT_BITS for i, beat in enumerate(given)
        ]
        contents["scalars"] += [] if step.outcome.scalar is None else [step.outcome.scalar]
        contents["responses"].append(step.outcome.error)
    sent = [stream for stream in contents if unit.signature.members[stream].flow is In]
    received = [stream for stream in contents if stream not in sent]
    parts = {"declarations": "", "resets": "", "drives": "", "fills": "", "ends": ""}
    for place, stream in enumerate(contents):
        kind = _SENT if stream in sent else _RECEIVED
        facts = {"stream": stream, "count": len(contents[stream]), "last": len(contents[stream]) - 1, "bit": 5 * place}
        facts |= {"high": widths[stream] - 1}
        for part, text in kind.items():
            parts[part] += Template(text).substitute(facts)
        parts["fills"] += _filled(f"{stream}_list", widths[stream], contents[stream]) + "\n"
    return Template(_STREAM_BENCH + _VERDICT).substitute(
        parts,
        module=name,
        connections=", ".join(f".{port}({port})" for port in ("clk", "rst", *(port.name for port in ports(unit)))),
        known=", ".join([f"{each}_ready" for each in sent] + [f"{each}_valid" for each in received]),
        patience=max(step.outcome.occupancy for step in played) + 200,
        told=f"{len(played)} commands, {len(contents['results'])} beats of results, at full speed and with pauses",
    )


def _bus_bench(unit: LowRankBus, name: str) -> str:
    listed = [
        kind << 44 | address << 32 | value & 0xFFFFFFFF for kind, address, value in _accesses(steps(unit.parameters))
    ]
    wires = "".join(
        f"  {'reg' if port.member.flow is In else 'wire'} [{len(port.value) - 1}:0] {port.name}"
        f"{' = 0' if port.member.flow is In else ''};\n"
        for port in ports(unit)
    )
    return Template(_BUS_BENCH + _VERDICT).substitute(
        module=name,
        wires=wires,
        connections=", ".join(f".{port}({port})" for port in ("clk", "rst", *(port.name for port in ports(unit)))),
        count=len(listed),
        told=f"{len(listed)} accesses, twice",
        last=len(listed) - 1,
        fills=_filled("list", 46, listed) + "\n",
        status=f"12'h{_ADDRESS['STATUS']:03x}",
        patience=4 * max(step.outcome.occupancy for step in steps(unit.parameters)) + 200,
    )


def _accesses(played: list[Step]) -> Iterator[tuple[int, int, int]]:
    """Yield kind, address and value of each bus access of a program that executes the steps."""
    for entry in REGISTERS[:1]:
        yield _REFUSED, entry.address, 0
    for step in played:
        for stream, row in step.rows.items():
            for i, element in enumerate(row):
                yield _WRITE, _ADDRESS[stream.upper()] + 4 * i, element
        for field in ("a", "b"):
            value = getattr(step.command, field)
            yield _WRITE, _ADDRESS[f"{field.upper()}_LOW"], value & 0xFFFFFFFF
            yield _WRITE, _ADDRESS[f"{field.upper()}_HIGH"], value >> 32
        yield _WRITE, _ADDRESS["COMMAND"], step.command.op | step.command.control << COMMAND["op"].width
        yield _WAIT, _ADDRESS["STATUS"], step.outcome.error << 1
        for i, element in enumerate(step.outcome.results):
            yield _READ, _ADDRESS["RESULTS"] + 4 * i, element
        if step.outcome.scalar is not None:
            yield _READ, _ADDRESS["SCALAR_LOW"], step.outcome.scalar & 0xFFFFFFFF
            yield _READ, _ADDRESS["SCALAR_HIGH"], step.outcome.scalar >> 32
