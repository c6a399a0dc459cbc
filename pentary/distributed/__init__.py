"""Members of a population evaluated by many processes or machines, to the same digests.

`fleet` hands out the members of a step and takes what is found; `worker` is the other end, with a `replica` of what is
trained, which moves by the shaped fitness alone. `launch` starts workers through any `concurrent.futures.Executor`;
`cluster` does on a Dask cluster. `members` is for the tasks of `pentary.es`. `channel` and `integers` say what goes
over the wire: `architecture/distributed.md` is the specification.
"""

from pentary.distributed.fleet import Fleet
from pentary.distributed.launch import Executors, Local
from pentary.distributed.members import Members, train

__all__ = ["Executors", "Fleet", "Local", "Members", "train"]
