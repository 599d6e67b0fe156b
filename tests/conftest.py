"""What pytest does around the tests, so that a test finds the same under pytest as under trial."""

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def scratch_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Run in a folder of its own, as trial does: `mktemp` writes into the current one."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("trial")
        patch.chdir(folder)
        yield folder
