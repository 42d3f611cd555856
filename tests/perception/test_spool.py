"""A sequence in a file behaves as a list does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.spool import KEPT, Spool


def spooled(items: list[int]) -> Spool[int]:
    spool: Spool[int] = Spool()
    for item in items:
        spool.append(item)
    return spool


@given(st.lists(st.integers(), max_size=40), st.slices(40))
def test_reading_and_slicing_give_what_a_list_gives(items: list[int], part: slice) -> None:
    spool = spooled(items)
    assert list(spool) == items
    assert list(spool[part]) == items[part]
    assert len(spool[part]) == len(items[part])


def test_an_index_beyond_the_end_is_an_error() -> None:
    with pytest.raises(IndexError):
        spooled([1, 2])[2]


def test_writing_goes_on_after_reading() -> None:
    spool = spooled([1, 2, 3])
    assert spool[0] == 1
    spool.append(4)
    assert list(spool) == [1, 2, 3, 4]


def test_arrays_come_back_as_they_were_and_few_are_held() -> None:
    spool: Spool[np.ndarray] = Spool()
    for i in range(3 * KEPT):
        spool.append(np.full(1000, i))
    assert all((spool[i] == i).all() for i in range(3 * KEPT))
    assert len(spool._lately) == KEPT
