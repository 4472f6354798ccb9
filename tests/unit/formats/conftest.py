"""Formats are tested without the trial of HDF5 files, which takes longer than reading them; `test_trial` has it."""

import pytest

from bandpress.formats import hdf5, matlab


@pytest.fixture(autouse=True)
def _no_trial(request, monkeypatch):
    if "trial" not in request.node.path.name:
        for module in (hdf5, matlab):
            monkeypatch.setattr(module, "try_out", lambda *_: None)
