"""Workers on a Dask cluster, which Dask's own commands start."""

import os
import signal
import time
from contextlib import closing
from pathlib import Path

import pytest
import trustme

import dask_cluster
from pentary import es
from pentary.distributed import Members, train
from pentary.distributed.cluster import Cluster
from pentary.es import loop
from pentary.numbers.word import PentaryError
from pentary.tasks.target import Target

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore:.*Mismatched")

TASK, PARAMETERS = Target(16, 12), es.Parameters(population=40, rank=2, steps=30, seed=5)


@pytest.fixture(scope="module")
def expected() -> list[str]:
    return [step.digest for step in es.train(TASK, PARAMETERS)]


def test_workers_of_a_cluster_come_and_go_until_the_scheduler_does(expected: list[str]) -> None:
    with dask_cluster.cluster(2) as (address, own):
        time.sleep(3)
        assert [step.digest for step in train(TASK, PARAMETERS, Cluster(address))] == expected
        members, seen, found = Members.of(TASK, PARAMETERS, Cluster(address)), set(), []
        with closing(members.coordinator):
            for step in loop.train(TASK, PARAMETERS, evaluate=members):
                found.append(step.digest)
                seen |= {*members.coordinator.workers}
                if step.step == 3:
                    os.kill(int(members.coordinator.workers[0].split()[1]), signal.SIGKILL)
                    own.append(dask_cluster.worker(address))
                if 3 < step.step < 25:
                    time.sleep(0.3)
        assert found == expected and len(seen) == 4, "the killed one comes back, and one more has come"
        with pytest.raises(PentaryError, match=f"the Dask scheduler at {address} has gone"):
            for step in train(TASK, es.Parameters(steps=10**6), Cluster(address)):
                if step.step == 1:
                    own[0].kill()


def test_a_cluster_with_certificates_is_encrypted_to_the_members(
    expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "own.pem")
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__TLS__CA_FILE", str(tmp_path / "ca.pem"))
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        monkeypatch.setenv(f"DASK_DISTRIBUTED__COMM__TLS__{role}__CERT", str(tmp_path / "own.pem"))
    from dask import config

    config.refresh()
    try:
        with dask_cluster.cluster(2, "tls") as (address, _):
            time.sleep(3)
            launcher = Cluster(address)
            assert launcher.context is not None
            assert [step.digest for step in train(TASK, PARAMETERS, launcher)] == expected
    finally:
        monkeypatch.undo()
        config.refresh()


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense", "udp://127.0.0.1:1", "tcp://127.0.0.1"])
def test_a_scheduler_that_cannot_be_reached_is_told(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pentary.distributed.cluster.PATIENCE", 0.5)
    with pytest.raises(PentaryError, match=f"no Dask scheduler can be reached at {address}: "):
        Cluster(address)
