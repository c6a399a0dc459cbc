"""Workers on a Dask cluster: one on each of its worker processes, those that join later included."""

import asyncio
import logging
import ssl
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pentary.distributed.channel import Listener
from pentary.distributed.launch import Call, expected, first_line
from pentary.distributed.worker import JoinInfo, serve
from pentary.numbers.word import PentaryError
from pentary.support.display import say
from pentary.support.extras import extra

if TYPE_CHECKING:
    from distributed import Client

PATIENCE: Final = 10.0
"""Seconds in which the scheduler has to answer."""


class Cluster:
    """Workers on a Dask cluster, over TLS with the certificates of Dask's configuration if the cluster uses it.

    Args:
        address: of the scheduler, such as tcp://host:8786, or tls://host:8786.

    Raises:
        PentaryError: no scheduler can be reached there.
    """

    def __init__(self, address: str) -> None:
        """Connect to the scheduler."""
        with extra("dask", "a Dask cluster"):
            from distributed.comm.core import connect
            from distributed.security import Security

        async def try_it() -> None:
            comm = await connect(address, timeout=PATIENCE, **Security().get_connection_args("client"))
            await comm.close()

        for name in [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # what they tell is told here in one line
        self.address = address
        try:
            with ThreadPoolExecutor(1) as apart:  # a notebook runs a loop of its own in this thread
                apart.submit(asyncio.run, try_it()).result()
        except (OSError, ValueError, TypeError, RuntimeError, ImportError) as error:
            raise PentaryError(f"no Dask scheduler can be reached at {address}: {first_line(error)}") from error
        self._client: Client | None = None
        self._calls: dict[str, Call] = {}
        self._is_encrypted = address.startswith("tls://")

    @property
    def context(self) -> Any:
        """Source of the TLS context in a worker; None if the cluster does not use TLS."""
        return _context_of_worker if self._is_encrypted else None

    def listener(self) -> Listener:
        """Return a listening socket at the address of this machine on the network of the scheduler."""
        from distributed.comm.addressing import get_address_host
        from distributed.utils import get_ip, get_ipv6

        scheduler = get_address_host(self.address)
        own = str(get_ipv6(scheduler) if ":" in scheduler else get_ip(scheduler))
        context = self._connected().security.get_listen_args("client")["ssl_context"] if self._is_encrypted else None
        try:
            return Listener(own, context)
        except OSError as error:
            raise PentaryError(f"workers cannot connect to {own}: {error.strerror}") from error

    def launch_missing(self, join_info: JoinInfo) -> int:
        """Start a worker on each process of the cluster that has none; see `coordinator.Launcher`."""
        client = self._connected()
        if client.status != "running":
            raise PentaryError(f"the Dask scheduler at {self.address} has gone")
        try:
            present = set(client.scheduler_info(n_workers=-1)["workers"])
        except (OSError, RuntimeError, TimeoutError) as error:
            raise PentaryError(f"the Dask scheduler at {self.address} has gone") from error
        for gone in set(self._calls) - present:
            future = self._calls.pop(gone).future
            if future is not None:
                future.cancel()
        for address in present:
            call = self._calls.setdefault(address, Call())
            was_given_up = call.is_given_up
            executor = client.get_executor(workers=[address], allow_other_workers=False, pure=False, retries=0)
            call.keep_running(partial(executor.submit, serve, join_info))
            if call.is_given_up and not was_given_up and len(present) > 1:
                say(f"Warning: the worker at {address} ends as soon as it starts{call.reason}; it is left out")
        return expected(self._calls.values())

    def close(self) -> None:
        """Leave the cluster."""
        for call in self._calls.values():
            if call.future is not None:
                call.future.cancel()
        if self._client is not None:
            self._client.close(timeout=1)

    def _connected(self) -> "Client":
        """Return the client, which connects when it is first used."""
        if self._client is None:
            from distributed import Client

            try:
                self._client = Client(self.address, timeout=PATIENCE, set_as_default=False)
            except OSError as error:
                raise PentaryError(f"the Dask scheduler at {self.address} has gone: {first_line(error)}") from error
        return self._client


def _context_of_worker() -> ssl.SSLContext:
    from distributed import get_worker

    return get_worker().security.get_connection_args("worker")["ssl_context"]
