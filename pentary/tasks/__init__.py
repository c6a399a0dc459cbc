"""What can be trained: the experiments of the kit, and a user's own function.

Every module beside this one is a task: a class that implements `pentary.es.loop.Task`, or something else that makes a
`pentary.runs.run.Run`, and a `TASK` that puts it on the command line. To add one, add a module.
"""

import pkgutil
from functools import cache
from importlib import import_module

from pentary.numbers.word import PentaryError
from pentary.tasks.running.options import TaskEntry


@cache
def entries() -> dict[str, TaskEntry]:
    """Return the tasks by their names."""
    modules = [module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg]
    tasks: list[TaskEntry] = [import_module(f"{__name__}.{name}").TASK for name in modules]
    return {task.name: task for task in sorted(tasks, key=lambda task: (":" in task.name, task.name))}


def find(name: str) -> TaskEntry:
    """Return the task of a name.

    Raises:
        PentaryError: there is none.

    >>> find("target").name, find("balance.py:fitness").name
    ('target', 'FILE.py:NAME')
    """
    tasks = entries()
    if name in tasks and ":" not in name:
        return tasks[name]
    if ":" in name:
        return next(task for task in tasks.values() if ":" in task.name)
    named = ", ".join(task for task in tasks if ":" not in task)
    raise PentaryError(
        f"unknown task {name!r}: it is {named}, or your own network or function as FILE.py:NAME or PACKAGE.MODULE:NAME"
    )
