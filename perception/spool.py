"""A sequence that lies in a file, so that memory does not grow with the length of a clip."""

import pickle
import tempfile
import weakref
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from typing import Generic, TypeVar, cast, overload

T = TypeVar("T")
KEPT = 16  # items held in memory: as many as a search over time looks back


class Spool(Sequence[T], Generic[T]):
    """Items written one after the other into an unnamed temporary file and read back by their number.

    Slices are views of the same file. What is read is a copy: changing it changes nothing.
    """

    def __init__(self) -> None:
        """Open the file; it is closed, and so vanishes, when nobody holds the sequence or a part of it."""
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._whole: Spool[T] | None = None
        self._ends = array("Q", [0])
        self._numbers = range(0)
        self._lately: OrderedDict[int, T] = OrderedDict()

    def append(self, item: T) -> None:
        """Add an item at the end."""
        self._file.seek(0, 2)
        pickle.dump(item, self._file, protocol=pickle.HIGHEST_PROTOCOL)
        self._ends.append(self._file.tell())
        self._numbers = range(len(self._numbers) + 1)

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> "Spool[T]": ...
    def __getitem__(self, index: int | slice) -> "T | Spool[T]":
        if isinstance(index, slice):
            part: Spool[T] = Spool.__new__(Spool)
            part._whole, part._file, part._ends, part._lately = (
                self._whole or self,
                self._file,
                self._ends,
                self._lately,
            )
            part._numbers = self._numbers[index]
            return part
        number = self._numbers[index]
        if number not in self._lately:
            self._lately[number] = self._read(number)
            if len(self._lately) > KEPT:
                self._lately.popitem(last=False)
        return self._lately[number]

    def _read(self, number: int) -> T:
        start, end = self._ends[number], self._ends[number + 1]
        self._file.seek(start)
        return cast(T, pickle.loads(self._file.read(end - start)))
