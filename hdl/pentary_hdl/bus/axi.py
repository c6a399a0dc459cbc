"""AXI4: signature of the channels between the second-level cache and memory."""

from typing import Final

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

DATA_BITS: Final = 64
ADDRESS_BITS: Final = 32

INCREMENT: Final = 1
"""Type of a burst at ascending addresses."""

OKAY: Final = 0


def _request(letter: str) -> dict[str, wiring.Member]:
    return {
        f"{letter}addr": Out(ADDRESS_BITS),
        f"{letter}len": Out(8),
        f"{letter}size": Out(3),
        f"{letter}burst": Out(2),
        f"{letter}id": Out(1),
        f"{letter}lock": Out(1),
        f"{letter}cache": Out(4),
        f"{letter}prot": Out(3),
        f"{letter}qos": Out(4),
        f"{letter}valid": Out(1),
        f"{letter}ready": In(1),
    }


AXI: Final = wiring.Signature(
    {
        **_request("ar"),
        "rid": In(1),
        "rdata": In(DATA_BITS),
        "rresp": In(2),
        "rlast": In(1),
        "rvalid": In(1),
        "rready": Out(1),
        **_request("aw"),
        "wdata": Out(DATA_BITS),
        "wstrb": Out(DATA_BITS // 8),
        "wlast": Out(1),
        "wvalid": Out(1),
        "wready": In(1),
        "bid": In(1),
        "bresp": In(2),
        "bvalid": In(1),
        "bready": Out(1),
    }
)
"""The channels, with directions from the manager's side; all identifiers are 0."""
