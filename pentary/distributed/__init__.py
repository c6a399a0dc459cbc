"""Members of a population evaluated by many processes or machines, to the same digests.

The `coordinator` distributes the pairs of a step over the workers, as `scheduling` says, and collects their results. A
`worker` keeps a replica of the weights and updates it from the shaped fitness of all pairs. `launch` starts workers
through any `concurrent.futures.Executor`, and `cluster` on a Dask cluster. `members` connects this to the tasks of
`pentary.es`. `channel` and `integers` define the messages; `architecture/distributed.md` is the specification.
"""

from pentary.distributed.coordinator import Coordinator
from pentary.distributed.launch import Executors, Local
from pentary.distributed.members import Members, train

__all__ = ["Coordinator", "Executors", "Local", "Members", "train"]
