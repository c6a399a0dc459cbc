from pentary.isa.system import CAUSES, CSRS, DEVICES, TEXT, WRITABLE, trap_name
from pentary.isa.table import BY_NAME


def test_the_registers_that_csrw_takes_come_first_and_have_ranges_with_their_reset_value() -> None:
    for number, csr in enumerate(CSRS.values()):
        if number < WRITABLE:
            assert csr.high == TEXT or csr.low <= csr.reset <= csr.high > csr.low
        else:
            assert csr.low == csr.high == csr.reset == 0


def test_interrupts_have_negative_causes_and_faults_positive_ones() -> None:
    assert {name for name, number in CAUSES.items() if number < 0} == {"timer interrupt", "external interrupt"}
    assert len({*CAUSES.values()}) == len(CAUSES) and 0 not in CAUSES.values()
    assert [trap_name(number) for number in (1, 4, -2, 0)] == [
        *("illegal instruction fault", "overflow fault", "external interrupt", "trap")
    ]


def test_devices_are_below_memory_and_apart_from_it() -> None:
    addresses = [device.address for device in DEVICES.values()]
    assert max(addresses) < -625 // 2  # no line of memory, which may begin below 0, has one
    assert len({*addresses}) == len(addresses)
    assert all(device.access in BY_NAME for device in DEVICES.values())
