"""Cache of opened models. TensorFlow is imported when the first one is opened."""

from functools import lru_cache
from typing import TYPE_CHECKING

from bandpress.environment import tensorflow_for
from bandpress.hyperprior.architecture import Architecture
from bandpress.hyperprior.store import StoredModel

if TYPE_CHECKING:
    from bandpress.hyperprior.network import Network
    from bandpress.hyperprior.refinement import Refiner

#: Most bytes of a batch's activations, which bounds memory.
_BATCH_BYTES = 300 << 20
_MOST_BATCH = 32
#: Bytes per pixel of a cluster for activations of 64 channels at half the size, in a few copies.
BYTES_A_PIXEL = 384


def batch_size(architecture: Architecture, lines: int, samples: int) -> int:
    """Return the number of clusters in a batch, limited by the memory of activations."""
    size = -(-lines // 2) * -(-samples // 2)
    widest = 4 * size * max(width / 4**stage for stage, width in enumerate(architecture.widths))
    return max(1, min(_MOST_BATCH, int(_BATCH_BYTES / (4 * widest))))


def open_network(model: StoredModel) -> "Network":
    """Open a model for coding.

    Raises
    ------
    MissingDependencyError
        If TensorFlow is not installed.
    """
    return _network(_Keyed(model))


def open_refiner(model: StoredModel) -> "Refiner":
    """Open the latent refinement of a model; raises as `open_network` does."""
    return _refiner(_Keyed(model))


class _Keyed:
    """A model, compared by its digest."""

    def __init__(self, model: StoredModel):
        self.model = model

    def __hash__(self) -> int:
        return hash(self.model.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keyed) and other.model.digest == self.model.digest != ""


@lru_cache(maxsize=4)
def _network(keyed: _Keyed) -> "Network":
    with tensorflow_for("a network"):
        from bandpress.hyperprior.network import Network
    return Network(keyed.model)


@lru_cache(maxsize=4)
def _refiner(keyed: _Keyed) -> "Refiner":
    with tensorflow_for("a network"):
        from bandpress.hyperprior.refinement import Refiner
    return Refiner(keyed.model)
