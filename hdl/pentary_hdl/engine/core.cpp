// Runs a program on the Verilog of the core, with memory and devices around it; core.py tells what is read and written.

#include <cstdint>
#include <cstdio>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "Vcore.h"
#include "layout.h"  // offsets of the fields of the core's records, from core.py

#if VM_TRACE
#include "verilated_vcd_c.h"
#endif

namespace {

enum Ending : int64_t { HALT, FAULT, CYCLES, STUCK };

constexpr uint64_t PATIENCE = 1 << 20;  // cycles in which nothing retires
constexpr size_t BATCH = 1 << 14;       // records in an answer
constexpr int PENTS = 16, GROUP = 3, GROUP_BITS = 9, GROUP_VALUES = 125;

// A word is 16 digits of three bits, the pents plus 2; a number is the same as an integer.
struct Numbers {
    int64_t parts[(PENTS + GROUP - 1) / GROUP][1 << GROUP_BITS];
    uint64_t digits[GROUP_VALUES];
    int64_t bias = 0;

    Numbers() {
        int64_t weight = 1;
        for (auto& part : parts) {
            for (int bits = 0; bits < 1 << GROUP_BITS; bits++)
                part[bits] = weight * ((bits & 7) + 5 * (bits >> 3 & 7) + 25 * (bits >> 6));
            weight *= GROUP_VALUES;
        }
        for (int number = 0; number < GROUP_VALUES; number++)
            digits[number] = number % 5 | number / 5 % 5 << 3 | number / 25 << 6;
        for (int place = 0; place < PENTS; place++) bias = bias * 5 + 2;
    }

    int64_t of(uint64_t word) const {
        int64_t number = -bias;
        for (auto& part : parts) {
            number += part[word & ((1 << GROUP_BITS) - 1)];
            word >>= GROUP_BITS;
        }
        return number;
    }

    uint64_t word(int64_t number) const {
        uint64_t rest = number + bias, result = 0;
        for (size_t place = 0; place < sizeof parts / sizeof *parts; place++) {
            result |= digits[rest % GROUP_VALUES] << GROUP_BITS * place;
            rest /= GROUP_VALUES;
        }
        return result;
    }
} const numbers;

uint64_t bits(const uint32_t* vector, int offset, int width) {
    uint64_t found = 0;
    for (int done = 0; done < width;) {
        const int place = (offset + done) % 32, count = std::min(32 - place, width - done);
        found |= (uint64_t)(vector[(offset + done) / 32] >> place & (~0u >> (32 - count))) << done;
        done += count;
    }
    return found;
}

#define FIELD(port, layout, name) bits(port, layout##_##name, layout##_##name##_BITS)
#define NUMBER(port, layout, name) numbers.of(FIELD(port, layout, name))

int64_t first_of_beat(int64_t address) { return address - (address + LINE / 2) % BEAT; }

int64_t flags_as_word(int flags) {
    return (flags >> 2 & 1) - (flags >> 1 & 1) + 5 * (flags >> 3 & 1) + 25 * (flags >> 4 & 1) + 125 * (flags >> 5 & 1);
}

struct Record {  // the columns of architecture/retire.md
    int64_t order, cycle, execute, pc, word, trap, reg, value, address, data, flags;
};

struct Pending {
    Record record;
    bool product, flags_late, halt, fatal, late_value, unit_value, stores, stores_vector;
};

struct Product {
    int64_t value, flags;
};

// What instructions have met, see MET of retire.py: bits of `waits`, then one for each path of each operand.
struct Met {
    static constexpr int PATHS = 8;
    uint64_t bits_of(const uint32_t* port) const {
        const int path = RETIRED_met_BITS - 9;
        uint64_t found = bits(port, RETIRED_met, path);
        for (int operand = 0; operand < 3; operand++)
            found |= 1ull << (path + PATHS * operand + bits(port, RETIRED_met + path + 3 * operand, 3));
        return found;
    }
};

struct Stored {  // a word of a vector in memory
    int64_t address;
    uint64_t word;
};

template <typename T>
bool read(std::vector<T>& values) {
    return std::fread(values.data(), sizeof(T), values.size(), stdin) == values.size();
}

template <typename T>
void write(const std::vector<T>& values) {
    std::fwrite(values.data(), sizeof(T), values.size(), stdout);
}

struct Settings {
    int64_t image, text, memory, inputs, interrupts, max_cycles, stops, watched;
};

// Cycles of which waves are recorded, and the one of which the stages are told.
struct Window {
    const char* waves = nullptr;
    uint64_t first = 0, middle = 0, last = 0;
};

#if CACHES
// Memory on AXI4: a read's data come LATENCY cycles after its address, a beat a cycle, and a response to a write after it.
struct Axi {
    struct Burst {
        uint64_t place, beats, begin;
    };
    std::vector<uint64_t> words;  // slots of lines, from that of address 0 on
    std::deque<Burst> reads, writes;
    bool responds = false;

    explicit Axi(uint64_t size) : words((size / LINE + 2) << SLOT_BITS, numbers.word(0)) {}

    uint64_t& at(uint64_t address) {
        const uint64_t place = address + LINE / 2;
        return words[(place / LINE << SLOT_BITS) + place % LINE];
    }

    void drive(Vcore& core, uint64_t cycle) {
        core.axi_arready = core.axi_awready = core.axi_wready = 1;
        core.axi_bvalid = responds;
        core.axi_rvalid = !reads.empty() && reads.front().begin <= cycle;
        if (core.axi_rvalid) {
            core.axi_rdata = words[reads.front().place];
            core.axi_rlast = reads.front().beats == 1;
        }
    }

    void observe(const Vcore& core, uint64_t cycle) {
        if (core.axi_rvalid) {
            reads.front().place++;
            if (--reads.front().beats == 0) reads.pop_front();
        }
        if (core.axi_arvalid) reads.push_back({core.axi_araddr >> 3, core.axi_arlen + 1u, cycle + LATENCY});
        if (core.axi_awvalid) writes.push_back({core.axi_awaddr >> 3, core.axi_awlen + 1u, cycle});
        responds = core.axi_wvalid && core.axi_wlast;
        if (core.axi_wvalid) words[writes.front().place++] = core.axi_wdata;
        if (responds) writes.pop_front();
    }
};
#else
// Memory without caches: a word comes in the cycle after it is asked for, and stays until the next one.
struct Coupled {
    std::vector<uint64_t> words;
    uint64_t fetched = 0, loaded = 0;
    std::array<uint64_t, BEAT> beat{};
    bool loads = false;  // a beat has been asked for

    explicit Coupled(uint64_t size) : words(size, numbers.word(0)) {}

    uint64_t& at(uint64_t address) { return words[address]; }

    uint64_t read(uint64_t address) const {
        const int64_t number = numbers.of(address);
        return number >= 0 && number < (int64_t)words.size() ? words[number] : 0;
    }

    void drive(Vcore& core, uint64_t) {
        core.fetch_word = fetched;
        core.load_word = loaded;
#if MOVES
        core.moves_done = 1;
        if (loads) give_loaded(core, beat);
#endif
    }

    void observe(const Vcore& core, uint64_t) {
        if (core.fetch_enable) fetched = read(core.fetch_address);
        if (core.store_enable) words[numbers.of(core.store_address)] = core.store_word;
        if (core.load_enable) loaded = read(core.load_address);
#if MOVES
        loads = core.moves_valid && !core.moves_stores;
        if (!core.moves_valid) return;
        const auto port = (const uint32_t*)&core.moved;
        const int64_t first = first_of_beat(numbers.of(core.moves_address));
        for (int place = 0; place < BEAT; place++) {
            const int64_t address = first + place;
            if (loads) beat[place] = address >= 0 && address < (int64_t)words.size() ? words[address] : 0;
            if (!loads && bits(port, MOVED_mask + place, 1))
                words[address] = bits(port, MOVED_words + place * WORD_BITS, WORD_BITS);
        }
#endif
    }
};
#endif

struct Bench {
    Settings settings;
    Vcore core;
    std::vector<uint64_t> memory;  // as the instructions whose records are complete have left it
#if CACHES
    Axi device;
#else
    Coupled device;
#endif
    std::vector<int64_t> inputs, interrupts, output, registers;
    std::map<uint64_t, Pending> waiting;
    std::vector<Product> products;
    std::vector<std::deque<int64_t>> results = std::vector<std::deque<int64_t>>(32);  // of the units, by register
    std::vector<Stored> moving;               // of the vector that is being stored
    std::deque<std::vector<Stored>> vectors;  // those that have been stored
    std::set<int64_t> stops;
    std::map<int64_t, uint64_t> met;  // by address of the instruction
#if CROSSBAR
    Crossbar array;
#endif
    std::vector<Record> records;
    std::vector<int64_t> stages = std::vector<int64_t>(8, 0);
    uint64_t cycle = 0, next = 0, instructions = 0, traps = 0, begun = 0, last_retired = 0;
    int64_t exit_status = 0, cycles = 0, fatal_cause = 0, fatal_pc = 0, is_double = 0;
    size_t inputs_taken = 0, interrupts_raised = 0;
    bool ended = false;
    Ending ending = STUCK;

    explicit Bench(const Settings& given)
        : settings(given),
          memory(given.memory, numbers.word(0)),
          device(given.memory),
          registers(32, 0) {
        registers[30] = given.memory;
    }

    void load(const std::vector<int64_t>& image) {
        for (size_t address = 0; address < image.size(); address++) {
            device.at(address) = memory[address] = numbers.word(image[address]);
        }
    }

    void reset() {
        core.rst = 1;
        core.text = numbers.word(settings.text);
        core.console_ready = 1;
        for (int i = 0; i < 2; i++) {
            core.clk = 0, core.eval();
            core.clk = 1, core.eval();
        }
        core.rst = 0;
    }

    void run(const Window& window);

    bool done() const {
#if CACHES
        return core.flushed;
#else
        return core.halted;
#endif
    }

    // What is in the stages ID, EX, MEM and WB after a cycle: pairs of whether there is an instruction, and its address.
    std::vector<int64_t> look() const {
        const auto port = (const uint32_t*)&core.stages;
        std::vector<int64_t> found;
        for (int stage = 0; stage < 4; stage++) {
            found.push_back(bits(port, stage * STAGE_BITS, 1));
            found.push_back(numbers.of(bits(port, stage * STAGE_BITS + 1, STAGE_BITS - 1)));
        }
        return found;
    }

    void step() {
        core.external = 0;
        while (interrupts_raised < interrupts.size() && interrupts[interrupts_raised] <= (int64_t)cycle) {
            core.external = 1;
            interrupts_raised++;
        }
        core.input_valid = inputs_taken < inputs.size();
        if (core.input_valid) core.input_word = numbers.word(inputs[inputs_taken]);
        core.input_available = numbers.word(inputs.size() - inputs_taken);
        device.drive(core, cycle);
        core.clk = 0, core.eval();
        device.observe(core, cycle);
        if (core.console_valid) output.push_back(numbers.of(core.console_word));
        if (core.exit_valid) exit_status = numbers.of(core.exit_word);
        if (core.input_taken) inputs_taken++;
        observe();
#if CROSSBAR
        const bool multiplies = core.array_multiplies || array.busy();
        if (multiplies || core.array_loads) {
            const auto& sums = array.clock(array_inputs(core));
            core.clk = 1, core.eval();
            if (multiplies) give_sums(core, sums);
            cycle++;
            return;
        }
#endif
        core.clk = 1, core.eval();
        cycle++;
    }

    void observe() {
        if (core.products) {
            const auto port = (const uint32_t*)&core.product;
            products.push_back({NUMBER(port, PRODUCT, value), flags_as_word(FIELD(port, PRODUCT, flags))});
        }
        for (int place = 0; place < RESULTS; place++) {
            const auto port = (const uint32_t*)&core.results;
            const int reg = bits(port, place * RESULT_BITS + RESULT_register, RESULT_register_BITS);
            const uint64_t word = bits(port, place * RESULT_BITS + RESULT_word, RESULT_word_BITS);
            if (reg) results[reg].push_back(numbers.of(word));
        }
        watch_moves();
        if (core.traps && !ended) {
            const auto port = (const uint32_t*)&core.trapped;
            Record record = {};
            record.order = FIELD(port, TRAPPED, order);
            record.cycle = record.execute = cycle - FIELD(port, TRAPPED, held);
            record.pc = NUMBER(port, TRAPPED, pc);
            record.word = record.pc >= 0 && record.pc < settings.text ? NUMBER(port, TRAPPED, word) : 0;
            record.trap = NUMBER(port, TRAPPED, cause);
            record.address = -1;
            record.flags = flags_as_word(FIELD(port, TRAPPED, flags));
            const bool late = FIELD(port, TRAPPED, flags_late), fatal = FIELD(port, TRAPPED, fatal);
            is_double = FIELD(port, TRAPPED, is_double);
            waiting[record.order] = {record, false, late, false, fatal, false, false, false, false};
            last_retired = cycle;
        }
        if (core.retires) {
            const auto port = (const uint32_t*)&core.retired;
            Record record = {};
            const bool accesses = FIELD(port, RETIRED, accesses);
            record.order = FIELD(port, RETIRED, order);
            record.cycle = cycle;
            record.execute = NUMBER(port, RETIRED, execute);
            record.pc = NUMBER(port, RETIRED, pc);
            record.word = NUMBER(port, RETIRED, word);
            record.reg = FIELD(port, RETIRED, register);
            record.value = record.reg ? NUMBER(port, RETIRED, value) : 0;
            record.address = accesses ? NUMBER(port, RETIRED, address) : -1;
            record.data = accesses ? NUMBER(port, RETIRED, data) : 0;
            const bool stores = FIELD(port, RETIRED, stores) && record.address >= 0;  // else it is a device
            record.flags = flags_as_word(FIELD(port, RETIRED, flags));
            const bool product = FIELD(port, RETIRED, product), late = FIELD(port, RETIRED, flags_late);
            const bool halt = FIELD(port, RETIRED, halt), of_unit = FIELD(port, RETIRED, of_unit);
            const bool writes = record.reg != 0;
            const bool vector = FIELD(port, RETIRED, stores_vector);
            met[record.pc] |= Met().bits_of(port);
            waiting[record.order] = {record, product,           late,   halt,  false, product && writes,
                                     of_unit && writes, stores, vector};
            last_retired = cycle;
        }
        deliver();
    }

    // Words that the vector load/store unit stores: those of a beat, from the one in which the address is.
    void watch_moves() {
        const auto port = (const uint32_t*)&core.moved;
        if (!FIELD(port, MOVED, valid)) return;
        const int64_t first = first_of_beat(NUMBER(port, MOVED, address));
        for (int place = 0; place < BEAT; place++) {
            if (!bits(port, MOVED_mask + place, 1)) continue;
            moving.push_back({first + place, bits(port, MOVED_words + place * WORD_BITS, WORD_BITS)});
        }
        if (!FIELD(port, MOVED, last)) return;
        vectors.push_back(moving);
        moving.clear();
    }

    // Tell what there is before an instruction: cycles and instructions so far, and the first words of memory.
    void tell_stop(int64_t pc) {
        flush();
        write(std::vector<int64_t>{-2, pc, cycles, (int64_t)instructions});
        std::vector<int64_t> words(settings.watched);
        for (int64_t address = 0; address < settings.watched; address++) words[address] = numbers.of(memory[address]);
        write(words);
        std::fflush(stdout);
    }

    // Complete records in their order, each as soon as its product is known.
    void deliver() {
        while (!ended && !waiting.empty() && waiting.begin()->first == next) {
            auto [record, product, flags_late, halt, fatal, late_value, unit_value, stores, stores_vector] =
                waiting.begin()->second;
            const uint64_t own = begun + product;
            if ((product || flags_late) && own > products.size()) return;
            if (stores_vector && vectors.empty()) return;
            if (unit_value && results[record.reg].empty()) return;
            if (stops.count(record.pc) && !record.trap) tell_stop(record.pc);
            if (stores) memory[record.address] = numbers.word(record.data);
            if (stores_vector) {
                for (auto& stored : vectors.front()) memory[stored.address] = stored.word;
                vectors.pop_front();
            }
            if (unit_value) {
                record.value = results[record.reg].front();
                results[record.reg].pop_front();
            }
            begun = own;
            if (late_value) record.value = products[own - 1].value;
            if (flags_late) record.flags = products[own - 1].flags;
            waiting.erase(waiting.begin());
            next++;
            records.push_back(record);
            if (record.trap) {
                if (fatal) {
                    ended = true, ending = FAULT, fatal_cause = record.trap, fatal_pc = record.pc;
                } else {
                    traps++;
                }
                continue;
            }
            instructions++;
            cycles = record.cycle + 1;
            if (is_pop(record.word)) registers[30] = record.address + 1;
            if (record.reg) registers[record.reg] = record.value;
            if (halt) ended = true, ending = HALT;
        }
    }

    static bool is_pop(int64_t word) {  // its register is its only field
        return word >= POP && (word - POP) % POP_STEP == 0 && (word - POP) / POP_STEP < 32;
    }

    void flush() {
        write(std::vector<uint64_t>{records.size(), output.size()});
        write(records);
        write(output);
        std::fflush(stdout);
        records.clear();
        output.clear();
    }
};

void Bench::run(const Window& window) {
#if VM_TRACE
    VerilatedVcdC trace;
    Verilated::traceEverOn(true);
    if (window.waves) {
        core.trace(&trace, 99);
        trace.open(window.waves);
    }
#endif
    reset();
    while (!ended) {
        if (settings.max_cycles >= 0 && cycles >= settings.max_cycles) {
            ending = CYCLES;
            break;
        }
        if (cycle - last_retired > PATIENCE) break;
        // Traps alone, without an instruction that retires, do not count as progress towards the limit.
        if (settings.max_cycles >= 0 && cycle > settings.max_cycles + PATIENCE) break;
        if (window.waves && cycle > window.last) {
            ending = CYCLES;
            break;
        }
        step();
        if (cycle == window.middle + 1) stages = look();
#if VM_TRACE
        if (window.waves && cycle >= window.first) trace.dump(cycle - 1);
#endif
        if (records.size() >= BATCH) flush();
    }
    if (ending != HALT && ending != FAULT) return;
    // At the end of a program, what the device holds is told.
    for (uint64_t waited = 0; !done() && waited < PATIENCE; waited++) step();
    for (size_t address = 0; address < memory.size(); address++) memory[address] = device.at(address);
}

}  // namespace

int main(int count, char** arguments) {
    std::vector<Settings> settings(1);
    if (!read(settings)) return 1;
    Bench bench(settings[0]);
    std::vector<int64_t> image(settings[0].image), stops(settings[0].stops);
    bench.inputs.resize(settings[0].inputs);
    bench.interrupts.resize(settings[0].interrupts);
    if (!read(image) || !read(bench.inputs) || !read(bench.interrupts) || !read(stops)) return 1;
    bench.stops.insert(stops.begin(), stops.end());
    bench.load(image);
    Window window;
    if (count > 4) {
        window.waves = arguments[1];
        window.first = std::stoull(arguments[2]);
        window.middle = std::stoull(arguments[3]);
        window.last = std::stoull(arguments[4]);
    }
    bench.run(window);
    bench.flush();
    write(std::vector<int64_t>{-1, bench.ending, bench.cycles, (int64_t)bench.instructions, (int64_t)bench.traps,
                               bench.fatal_cause, bench.fatal_pc, bench.is_double, bench.exit_status});
    write(bench.stages);
    write(bench.registers);
    for (auto& word : bench.memory) word = numbers.of(word);
    write(bench.memory);
    std::vector<int64_t> met = {(int64_t)bench.met.size()};
    for (auto& [pc, bits] : bench.met) met.insert(met.end(), {pc, (int64_t)bits});
    write(met);
    std::fflush(stdout);
    return 0;
}
