"""Which function is meant."""

import pytest

from guide.errors import UsageError
from guide.explain.numba import target


@pytest.mark.parametrize("typed", ["", "f", ":f", "mod:", "mod:a b", "mod:1"])
def test_what_names_no_function_is_an_error_of_usage(typed):
    with pytest.raises(UsageError):
        target.parse(typed)
