"""Widths of the network: one number of hidden channels, or one per stage."""

import pytest

from bandpress.errors import ModelError
from bandpress.hyperprior.architecture import Architecture


def test_widths_of_each_stage_are_mirrored_in_the_synthesis():
    given = Architecture(3, (8, 12, 16), 24)
    assert given.channels("analysis") == ((3, 8), (8, 12), (12, 16), (16, 24))
    assert given.channels("synthesis") == ((24, 16), (16, 12), (12, 8), (8, 3))
    assert given.filters == "8,12,16/24"


def test_equal_widths_are_those_of_one_number():
    one, three = Architecture(3, 8, 24), Architecture(3, (8, 8, 8), 24)
    assert one.shapes() == three.shapes()
    assert one.macs(64, 96) == three.macs(64, 96)
    assert one.filters == "8/24"


def test_multiplications_are_those_of_every_layer():
    """Of 64 x 96 samples, strides of 2, 4, 8, 16 and 32 leave 1536, 384, 96, 24 and 6."""
    found = Architecture(3, 8, 24, 6).macs(64, 96)
    convolutions = 25 * (1536 * 3 * 8 + 384 * 8 * 8 + 96 * 8 * 8 + 24 * 8 * 24)
    gdn = (1536 + 384 + 96) * 8 * 8
    assert found["analysis"] == found["synthesis"] == convolutions + gdn
    hyper = 9 * 24 * 24 * 6 + 25 * 6 * 6 * 6
    assert found["hyper_analysis"] == found["hyper_synthesis"] == hyper
    assert found["encoder"] == convolutions + gdn + 2 * hyper
    assert found["decoder"] == convolutions + gdn + hyper


@pytest.mark.parametrize("hidden", [8, (8, 12, 16)])
def test_json_gives_the_architecture_back(hidden):
    import json

    given = Architecture(3, hidden, 24, 6, qualities=2)
    assert Architecture.from_json(json.loads(json.dumps(given.to_json()))) == given


@pytest.mark.parametrize("hidden", [0, (8, 8), (8, 8, 0), (8, 8, 8.5), "8,8,8"])
def test_other_widths_are_refused(hidden):
    with pytest.raises(ModelError, match="hidden"):
        Architecture(3, hidden, 24)
