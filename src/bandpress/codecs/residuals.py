"""What networks for `predicted-learned` and `klt-learned` are trained on: the integers that they will see.

Residuals are made by coding scenes in the closed loop at some operating points, with JPEG 2000 in the network's place
or with a model trained before; components by a KLT over all bands. Both are counted in units of their quantiser step:
so all of them ask for the same lambda, see `unit_lambda`, and differ in range alone. Key clusters of a prediction,
which JPEG 2000 codes better, are not among them.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bandpress.clusters import split
from bandpress.codecs.predicted import Predicted, lambda_of
from bandpress.codecs.predicted_jpeg2000 import PredictedJpeg2000
from bandpress.codecs.predicted_learned import PredictedLearned
from bandpress.codecs.residual_network import step_of, width_code, width_of
from bandpress.codecs.rklt_jpeg2000 import RkltJpeg2000
from bandpress.errors import SceneError
from bandpress.hyperprior.training.patches import Residual
from bandpress.native import native
from bandpress.scene import Scene

#: Units that a quantiser step is counted as: fine enough that rounding to them is nothing.
UNITS = 64.0
_LARGEST = (1 << 15) - 1
#: Residuals below this many units are not coded by the network at all.
_LEAST = 1.5 * UNITS


def unit_lambda(k: int) -> float:
    """Return the lambda that all residuals in units ask for, in a network of k bands."""
    return lambda_of(UNITS, k)


def residual_clusters(
    scenes: Sequence[Scene], k: int, lambdas: Sequence[float], model: str | Path | None = None
) -> list[Residual]:
    """Code scenes at operating points and return what was left to code of their clusters.

    Parameters
    ----------
    scenes
        What to code.
    k
        Bands of a cluster; those that have fewer are left out.
    lambdas
        Weights of the mean squared error in DN², against bits a pixel.
    model
        Folder or name of a model with gains that codes in the loop. Default: JPEG 2000 does.

    Raises
    ------
    SceneError
        If nothing is left to code.
    """
    found = []
    for scene in scenes:
        for lambda_ in lambdas:
            step = step_of(lambda_, k)
            codec: Predicted
            if model is None:
                codec = PredictedJpeg2000(step=step, bands_per_cluster=k)
            else:
                codec = PredictedLearned(step=step, bands_per_cluster=k, model=model)
            for job in codec.residuals(replace(scene, cube=native(scene.cube)), step):
                units = np.rint(job.residual * (UNITS / job.step))
                units = np.clip(units, -_LARGEST, _LARGEST).astype(np.int16)
                if not job.key and len(units) == k and np.abs(units).max() >= _LEAST:
                    found.append(Residual(units, float(width_of(width_code(units)))))
    if not found:
        raise SceneError(f"prediction leaves nothing to code of {len(scenes)} scenes; expected residuals")
    return found


def component_clusters(scenes: Sequence[Scene], k: int, lambdas: Sequence[float]) -> list[Residual]:
    """Return clusters of components of the KLT over all bands of each scene, those worth coding at some lambda.

    Parameters
    ----------
    scenes, k, lambdas
        As for `residual_clusters`.
    """
    transform = RkltJpeg2000(lossless=True, bands_per_cluster="all")
    found = []
    for scene in scenes:
        for lambda_ in lambdas:
            step = step_of(lambda_, k)
            components = transform.forward(native(scene.cube)[:], step * step / 24).samples
            for group in split(scene.bands, k):
                units = np.rint(components[group.bands] * (UNITS / step)).astype(np.int32)
                if len(units) == k and np.abs(units).max() >= _LEAST:
                    found.append(Residual(units, float(width_of(width_code(units)))))
    if not found:
        raise SceneError(f"the transform leaves nothing to code of {len(scenes)} scenes; expected components")
    return found


def ladder(residuals: Sequence[Residual], k: int, qualities: int) -> tuple[float, ...]:
    """Return lambdas for a family whose qualities span what these residuals ask for, lowest first."""
    widths = np.array([one.width for one in residuals])
    worth = unit_lambda(k) * np.square(widths / np.sqrt(np.mean(np.square(widths))))
    low, high = np.quantile(worth, (0.02, 1.0))
    return tuple(np.geomspace(low, max(high, 2 * low), qualities).tolist())
