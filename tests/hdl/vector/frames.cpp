// Gives a unit its inputs of every cycle and returns its outputs; frames of 32-bit words, from stdin and to stdout.
// With BEAT, the crossbar's array is beside the Verilog, and so many sums come at once.

#include <cstdint>
#include <cstdio>
#include <vector>

#include "Vunit.h"

#ifdef BEAT
#include "array.h"

using Crossbar = Array<256, 256, BEAT>;

template <typename T>
uint64_t bits(const T& port, int offset, int width) {
    uint64_t found = 0;
    for (int bit = 0; bit < width; bit++)
        found |= (uint64_t)(port[(offset + bit) / 32] >> (offset + bit) % 32 & 1) << bit;
    return found;
}

Crossbar::Inputs inputs_of(const Vunit& unit) {
    constexpr int WORD = 48, PENT = 3;
    Crossbar::Inputs inputs;
    int offset = 0;
    const auto next = [&](int width) {
        offset += width;
        return bits(unit.array, offset - width, width);
    };
    for (auto& word : inputs.words) word = next(WORD);
    for (auto& level : inputs.levels) level = (int)next(PENT);
    inputs.loads = next(1);
    inputs.multiplies = next(1);
    inputs.step = (int)next(4);
    inputs.row = (int)next(8);
    return inputs;
}

template <typename T>
void set(T& port, const std::array<uint64_t, BEAT>& words) {
    constexpr int PART = 16, PARTS = 3;  // of a word
    for (int part = 0; part < BEAT * PARTS; part += 2) {
        const auto of = [&](int number) { return (uint32_t)(words[number / PARTS] >> number % PARTS * PART & 0xffff); };
        port[part / 2] = of(part) | of(part + 1) << PART;
    }
}
#endif

int main() {
    Vunit unit;
#ifdef BEAT
    static Crossbar array;
#endif
    std::vector<uint32_t> input(sizeof unit.i / 4), output(sizeof unit.o / 4);
    unit.rst = 0;
    while (fread(input.data(), 4, input.size(), stdin) == input.size()) {
        for (size_t word = 0; word < input.size(); word++) unit.i[word] = input[word];
        unit.clk = 0;
        unit.eval();
        for (size_t word = 0; word < output.size(); word++) output[word] = unit.o[word];
#ifdef BEAT
        const auto& sums = array.clock(inputs_of(unit));
#endif
        unit.clk = 1;
        unit.eval();
#ifdef BEAT
        set(unit.sums, sums);
#endif
        if (fwrite(output.data(), 4, output.size(), stdout) != output.size()) return 1;
    }
    unit.final();
}
