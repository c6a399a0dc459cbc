"""A disk that loses what was not synced: the writes of a program, recorded, and what may be left of any prefix of them.

Model: a file's content is on the disk when the file was synced, its name when the folder was. Of what is not, a power
loss keeps all, nothing, or any part: of each content the old one, the new one or its beginning, and each change of a
name or not, but for those of one name in their order.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from unittest.mock import patch


class Operation(NamedTuple):
    """A change of a disk.

    Attributes:
        kind: "content", of which `path` has `content` from then on; "link", `path` is another name of what `other`
            names; "rename" of `path` to `other`; "unlink"; "folder" is made; "sync" of a file or folder.
        path, other: relative to the disk.
        content: whole content of the file.
    """

    kind: str
    path: str
    other: str = ""
    content: bytes = b""


@contextmanager
def recorded(root: Path) -> Iterator[list[Operation]]:
    """Record what the body changes below a folder, by the calls that pentary writes with."""
    operations: list[Operation] = []
    write, rename, unlink, mkdir, opened, fsync, link = (
        *(Path.write_bytes, Path.replace, Path.unlink, Path.mkdir, Path.open),
        *(os.fsync, os.link),
    )

    def add(kind: str, path: Path, other: Path | None = None) -> None:
        if path.is_relative_to(root):
            content = path.read_bytes() if kind == "content" else b""
            told = str(other.relative_to(root)) if other else ""
            operations.append(Operation(kind, str(path.relative_to(root)), told, content))

    def write_bytes(path: Path, content: bytes) -> int:
        count = write(path, content)
        add("content", path)
        return count

    def replace(path: Path, target: Path) -> Path:
        moved = rename(path, target)
        add("rename", path, Path(target))
        return moved

    def remove(path: Path, missing_ok: bool = False) -> None:
        was_there = path.exists()
        unlink(path, missing_ok)
        if was_there:
            add("unlink", path)

    def make(path: Path, *arguments: Any, **options: Any) -> None:
        mkdir(path, *arguments, **options)
        add("folder", path)

    @contextmanager
    def writing(path: Path, file: Any) -> Iterator[Any]:
        with file:
            yield file
        add("content", path)

    def open_(path: Path, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        file = opened(path, mode, *arguments, **options)
        return writing(path, file) if set(mode) & set("wax+") else file

    def sync(descriptor: int) -> None:
        fsync(descriptor)
        add("sync", Path(f"/proc/self/fd/{descriptor}").readlink())

    def link_(source: Path, target: Path) -> None:
        link(source, target)
        add("link", Path(target), Path(source))

    with (
        patch.object(Path, "write_bytes", write_bytes),
        patch.object(Path, "replace", replace),
        patch.object(Path, "unlink", remove),
        patch.object(Path, "mkdir", make),
        patch.object(Path, "open", open_),
        patch.object(os, "fsync", sync),
        patch.object(os, "link", link_),
    ):
        yield operations


def _common(old: bytes, new: bytes) -> int:
    """Return how many bytes at the beginning of both are the same."""
    return next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))


class Disk:
    """A disk on which operations are made one after the other."""

    def __init__(self) -> None:
        """Create an empty disk."""
        self._contents: list[list[bytes]] = []
        """Of each file, its contents since the last sync, the synced one first."""
        self._names: dict[str, list[int | None]] = {}
        """Of each name, the files that it was of since its folder was synced; None: it was of none."""
        self._folders = {"."}

    def make(self, operation: Operation) -> None:
        """Apply an operation."""
        path, other = operation.path, operation.other
        match operation.kind:
            case "folder":
                self._folders.add(path)
            case "content":
                if self._now(path) is None:
                    self._name(path, len(self._contents))
                    self._contents.append([b""])
                file = self._now(path)
                assert file is not None, "it has just been made"
                self._contents[file].append(operation.content)
            case "rename":
                self._name(other, self._now(path))
                self._name(path, None)
            case "link":
                self._name(path, self._now(other))
            case "unlink":
                self._name(path, None)
            case "sync" if path in self._folders:
                for name in list(self._names):
                    if str(Path(name).parent) == path:
                        del self._names[name][:-1]
            case "sync" if (file := self._now(path)) is not None:
                del self._contents[file][:-1]
            case _:
                pass

    def left(self, place: Path, rng: Random | None, all: bool = False) -> None:
        """Write what a power loss leaves into an empty folder.

        Args:
            place: the folder.
            rng: draws what of that which was not synced is left; None for nothing or all.
            all: whether everything is.
        """
        for folder in sorted(self._folders):
            (place / folder).mkdir(parents=True, exist_ok=True)
        for name, files in self._names.items():
            file = rng.choice(files) if rng else files[-1] if all else files[0]
            if file is not None:
                contents = self._contents[file]
                content = rng.choice(contents) if rng else contents[-1] if all else contents[0]
                if rng and rng.random() < 0.3 and content != contents[0]:
                    same = _common(contents[0], content)
                    content = content[: rng.randint(same, len(content))]  # what is new is written in part
                (place / name).write_bytes(content)

    def _now(self, name: str) -> int | None:
        return self._names[name][-1] if name in self._names else None

    def _name(self, name: str, file: int | None) -> None:
        self._names.setdefault(name, [None]).append(file)
