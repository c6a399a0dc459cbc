"""The command line: commands, what all of them do with their output and their end, and the benchmarks.

Commands that need the simulator, the gateware or the language model are imported when they are asked for.
"""
