// Behavioural model of the crossbar's array, for simulators: ideal devices behind the port of port.py.

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

// ROWS and COLUMNS are those of the array, SUMS the sums in a beat. A word is 16 digits of three bits, the pents plus 2.
template <int ROWS, int COLUMNS, int SUMS>
class Array {
  public:
    static constexpr int STEPS = 16, INPUTS = ROWS / STEPS, LEVELS = COLUMNS / STEPS;

    // What the unit says in a cycle, with the names of the port.
    struct Inputs {
        bool loads = false, multiplies = false;
        int step = 0, row = 0;
        std::array<int, LEVELS> levels{};  // the pents plus 2
        std::array<uint64_t, INPUTS> words{};
    };

    // Takes what the unit says in this cycle, and returns the port's sums in the next one.
    const std::array<uint64_t, SUMS>& clock(const Inputs& inputs) {
        age++;
        if (inputs.loads) load(inputs);
        if (inputs.multiplies) multiply(inputs);
        if (age == 2) deliver(0);
        if (age == 3 && COLUMNS > SUMS) deliver(SUMS);
        return beat;
    }

  private:
    static constexpr int PENTS = 16;
    static constexpr int64_t GREATEST = 76293945312;  // word

    std::array<std::array<int8_t, COLUMNS>, ROWS> devices{};
    std::array<int64_t, COLUMNS> sums{}, complete{};
    std::array<uint64_t, SUMS> beat{};
    uint64_t age = STEPS;  // cycles since the last step of MATVEC

    void load(const Inputs& inputs) {
        int8_t* levels = &devices[inputs.row][inputs.step * LEVELS];
        for (int column = 0; column < LEVELS; column++) levels[column] = (int8_t)(inputs.levels[column] - 2);
    }

    void multiply(const Inputs& inputs) {
        if (inputs.step == 0) sums.fill(0);
        for (int input = 0; input < INPUTS; input++) {
            const int64_t number = number_of(inputs.words[input]);
            const auto& levels = devices[inputs.step * INPUTS + input];
            for (int column = 0; column < COLUMNS; column++) sums[column] += number * levels[column];
        }
        if (inputs.step < STEPS - 1) return;
        complete = sums;
        age = 0;
    }

    void deliver(int first) {
        for (int column = 0; column < SUMS; column++) beat[column] = word_of(complete[first + column]);
    }

    static int64_t number_of(uint64_t word) {
        int64_t number = 0;
        for (int place = PENTS - 1; place >= 0; place--) number = 5 * number + (int64_t)(word >> 3 * place & 7);
        return number - GREATEST;
    }

    static uint64_t word_of(int64_t number) {
        uint64_t rest = std::clamp(number, -GREATEST, GREATEST) + GREATEST, word = 0;
        for (int place = 0; place < PENTS; place++, rest /= 5) word |= rest % 5 << 3 * place;
        return word;
    }
};
