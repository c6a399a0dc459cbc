// Drives the Verilog unit in every cycle, all streams at full speed; verilated.py tells what is read and written.

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

#include "Vlralu.h"

#define PORT(stream, role) unit.stream##_##role

namespace {

enum Ending : uint64_t { DONE, REFUSED, STUCK };

constexpr uint64_t PATIENCE = 100000;  // cycles in which nothing happens; the longest command takes a sixth of that

// What happens on a stream during a batch: payloads that are sent, or received, and the cycles of that.
struct Transfers {
    void* port;
    size_t size;
    std::vector<uint8_t> payloads = {};
    std::vector<uint64_t> cycles = {};
    size_t done = 0;

    void expect(size_t count) {
        payloads.assign(count * size, 0);
        cycles.assign(count, 0);
        done = 0;
    }
    bool left() const { return done < cycles.size(); }
    void offer() {
        if (left()) std::memcpy(port, &payloads[done * size], size);
    }
    void count(uint64_t cycle) { cycles[done++] = cycle; }
    bool receive(uint64_t cycle) {
        if (!left()) return false;
        std::memcpy(&payloads[done * size], port, size);
        count(cycle);
        return true;
    }
};

#define TRANSFERS(stream) Transfers{&PORT(stream, payload), sizeof(PORT(stream, payload))}

struct Bench {
    Vlralu unit;
    Transfers commands = TRANSFERS(commands), base = TRANSFERS(base), totals = TRANSFERS(totals);
    Transfers results = TRANSFERS(results), scalars = TRANSFERS(scalars), responses = TRANSFERS(responses);
    Transfers frees{nullptr, 0};  // when the unit could start the command after
    uint64_t cycle = 0;

    Bench() {
        unit.rst = 1;
        for (int i = 0; i < 2; i++) settle(), tick();
        unit.rst = 0;
        cycle = 0;
        PORT(results, ready) = PORT(scalars, ready) = PORT(responses, ready) = 1;
    }

    void settle() {
        unit.clk = 0;
        unit.eval();
    }

    void tick() {
        unit.clk = 1;
        unit.eval();
        cycle++;
    }

    Ending run() {
        for (uint64_t last = cycle; cycle - last <= PATIENCE; tick()) {
            commands.offer(), base.offer(), totals.offer();
            PORT(commands, valid) = commands.left();
            PORT(base, valid) = base.left();
            PORT(totals, valid) = totals.left();
            settle();
            const size_t before = happened();
            if (PORT(commands, ready)) {
                if (frees.done < commands.done) frees.count(cycle);
                if (commands.left()) commands.count(cycle);
            }
            if (PORT(base, ready) && base.left()) base.count(cycle);
            if (PORT(totals, ready) && totals.left()) totals.count(cycle);
            if (PORT(results, valid) && !results.receive(cycle)) return STUCK;
            if (PORT(scalars, valid) && !scalars.receive(cycle)) return STUCK;
            if (PORT(responses, valid)) {
                if (PORT(responses, payload)) return REFUSED;
                if (!responses.receive(cycle)) return STUCK;
            }
            if (happened() > before) last = cycle;
            if (frees.left() || base.left() || totals.left() || results.left() || scalars.left() || responses.left())
                continue;
            tick();
            return DONE;
        }
        return STUCK;
    }

    size_t happened() const {
        return commands.done + base.done + totals.done + results.done + scalars.done + responses.done;
    }
};

template <typename T>
bool read(std::vector<T>& values) {
    return std::fread(values.data(), sizeof(T), values.size(), stdin) == values.size();
}

template <typename T>
void write(const std::vector<T>& values) {
    std::fwrite(values.data(), sizeof(T), values.size(), stdout);
}

}  // namespace

int main() {
    Bench bench;
    Transfers* const sent[] = {&bench.commands, &bench.base, &bench.totals};
    Transfers* const received[] = {&bench.results, &bench.scalars};
    std::vector<uint64_t> sizes, counts(5);
    for (auto stream : sent) sizes.push_back(stream->size);
    for (auto stream : received) sizes.push_back(stream->size);
    write(sizes);
    std::fflush(stdout);
    Ending ending = DONE;
    while (ending == DONE && read(counts)) {
        for (int i = 0; i < 3; i++) {
            sent[i]->expect(counts[i]);
            if (!read(sent[i]->payloads)) return 1;
        }
        for (int i = 0; i < 2; i++) received[i]->expect(counts[3 + i]);
        bench.frees.expect(counts[0]);
        bench.responses.expect(counts[0]);
        ending = bench.run();
        write(std::vector<uint64_t>{ending, bench.cycle, bench.responses.done});
        for (auto stream : {&bench.commands, &bench.frees, &bench.responses}) write(stream->cycles);
        for (auto stream : received) {
            write(stream->cycles);
            write(stream->payloads);
        }
        std::fflush(stdout);
    }
    return 0;
}
