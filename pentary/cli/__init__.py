"""Command line: commands, their output streams and exit status, and benchmarks.

Commands that need the simulator, the gateware or the language model are imported when they are asked for.
"""
