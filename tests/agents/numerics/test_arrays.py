"""Arrays as kernels read them."""

import numpy as np
import pytest

from meanwatt.agents.numerics.arrays import as_input, read_only, spread


def test_what_a_kernel_may_read_already_is_passed_on_as_it_is() -> None:
    ready = read_only([[1.0, 2.0], [3.0, 4.0]])
    assert as_input(ready) is ready


@pytest.mark.parametrize(
    "given",
    [np.eye(3), np.arange(6.0).reshape(2, 3).T, np.broadcast_to(2.0, (2, 3)), np.array(1.0)],
    ids=["writable", "columns first", "one number spread", "no axis"],
)
def test_a_kernel_reads_the_same_numbers_in_c_order_and_cannot_write_them(given: np.ndarray) -> None:
    writable = given.flags.writeable
    read = as_input(given)
    assert (read == given).all()
    assert read.flags.c_contiguous and not read.flags.writeable and read.ndim  # noqa: PT018
    assert given.flags.writeable is writable


@pytest.mark.parametrize("given", [np.arange(6.0).reshape(2, 3), np.arange(3.0), np.array(4.0)])
def test_spread_numbers_are_those_of_broadcasting(given: np.ndarray) -> None:
    assert spread(given, (2, 3)).shape == (2, 3)
    assert (spread(given, (2, 3)) == np.broadcast_to(given, (2, 3))).all()
