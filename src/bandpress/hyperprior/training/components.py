"""Training data of networks for `klt-learned`: components of a KLT over all bands.

They are in units of the quantiser step used to code them, so they share one lambda, see `unit_lambda`, and differ only
in range.
"""

from collections.abc import Sequence

import numpy as np

from bandpress.clusters import split
from bandpress.errors import SceneError
from bandpress.hyperprior.component_parts import width_code, width_of
from bandpress.hyperprior.quality import lambda_of_step, step_of_lambda
from bandpress.hyperprior.training.patches import Components
from bandpress.prepared import prepare
from bandpress.scene import Scene
from bandpress.transforms import cluster_klt

#: Units per quantiser step, so fine that rounding to them is negligible.
UNITS = 64.0
#: Smallest components, in units, that the network codes.
_LEAST = 1.5 * UNITS


def unit_lambda(k: int) -> float:
    """Return the lambda of components in units of their step, in a network of k bands."""
    return lambda_of_step(UNITS, k)


def component_clusters(scenes: Sequence[Scene], k: int, lambdas: Sequence[float]) -> list[Components]:
    """Return the clusters of KLT components (over all bands of each scene) worth coding at some lambda.

    Parameters
    ----------
    scenes
        Scenes to transform.
    k
        Components of a cluster; clusters with fewer are left out.
    lambdas
        Operating points of the scenes: weights of the mean squared error in DN² against bits per pixel.

    Raises
    ------
    SceneError
        If nothing is worth coding.
    """
    found = []
    for scene in scenes:
        for lambda_ in lambdas:
            step = step_of_lambda(lambda_, k)
            components = cluster_klt.forward(
                prepare(scene).cube[:], cluster_klt.SAFETY * step * step / 12
            ).components
            for group in split(scene.bands, k):
                units = np.rint(components[group.bands] * (UNITS / step)).astype(np.int32)
                if len(units) == k and np.abs(units).max() >= _LEAST:
                    found.append(Components(units, float(width_of(width_code(units)))))
    if not found:
        raise SceneError(
            f"the transform leaves nothing to code in {len(scenes)} scenes; expected components worth coding"
        )
    return found


def ladder(clusters: Sequence[Components], k: int, qualities: int) -> tuple[float, ...]:
    """Return the lambdas of a family, lowest first, that cover these clusters."""
    widths = np.array([one.width for one in clusters])
    worth = unit_lambda(k) * np.square(widths / np.sqrt(np.mean(np.square(widths))))
    low, high = np.quantile(worth, (0.02, 1.0))
    return tuple(np.geomspace(low, max(high, 2 * low), qualities).tolist())
