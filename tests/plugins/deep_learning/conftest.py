import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    """The last bits of a sum depend on how many threads share it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
