"""From gateware to FPGAs: synthesis, place and route, a self-test for boards.

Nothing here is imported by the gateware itself; the tools come with `pip install 'pentary[fpga]'`.
"""
