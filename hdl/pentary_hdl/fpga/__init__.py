"""From gateware to FPGAs: synthesis, place and route, and a self-test for boards.

The gateware itself imports nothing from here; the tools come with `pip install 'pentary[fpga]'`.
"""
