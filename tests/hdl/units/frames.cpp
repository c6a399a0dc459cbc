// Gives units their inputs of every cycle and returns their outputs; frames of 32-bit words, from stdin and to stdout.

#include <cstdint>
#include <cstdio>
#include <vector>

#include "Vunit.h"

int main() {
    Vunit unit;
    std::vector<uint32_t> input(sizeof unit.i / 4), output(sizeof unit.o / 4);
    while (fread(input.data(), 4, input.size(), stdin) == input.size()) {
        for (size_t word = 0; word < input.size(); word++) unit.i[word] = input[word];
        unit.rst = input[0] & 1;  // the first field
        unit.clk = 0;
        unit.eval();
        for (size_t word = 0; word < output.size(); word++) output[word] = unit.o[word];
        unit.clk = 1;
        unit.eval();
        if (fwrite(output.data(), 4, output.size(), stdout) != output.size()) return 1;
    }
    unit.final();
}
