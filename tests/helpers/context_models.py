"""Context models of random weights."""

import numpy as np

from bandpress.contexts.classes import CLASSES
from bandpress.contexts.features import FEATURES
from bandpress.contexts.integers import Measured, to_integers
from bandpress.contexts.kernels.constants import SHAPED
from bandpress.contexts.signs import COLUMNS, ROWS


def random_model(seed=0, hidden=7, scale=3.0):
    rng = np.random.default_rng(seed)
    sizes = [(FEATURES, hidden), (hidden, hidden), (hidden, 1)]
    return to_integers(
        [rng.normal(0, scale * a**-0.5, (a, b)) for a, b in sizes],
        [rng.normal(0, 1, b) for _, b in sizes],
        rng.normal(0, 2, (9, CLASSES)),
        Measured(rng.uniform(-0.4, 0.4, (9, SHAPED)), rng.integers(0, 300, (2, ROWS, COLUMNS))),
    )
