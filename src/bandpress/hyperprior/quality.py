"""Choice of the quality of each cluster in a family of networks. No TensorFlow here.

Clusters are normalised by their ranges, which differ a hundredfold within a scene, so that the same normalised error
means very different errors in DN. To minimise rate + lambda · MSE in DN² over a *scene*, each cluster is coded at the
quality whose lambda, in normalised units, is lambda · range². Training draws qualities by the same rule.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bandpress.hyperprior.architecture import STEPS_PER_QUALITY

#: Bits that a unit of squared error of a latent is worth if the transforms are orthonormal: -dR/dD at D = 1 / 12.
WORTH_IN_BALANCE = 6 / math.log(2)
#: The same with trained transforms, in a model with gains; measured in docs/models.md.
WORTH_IN_TRAINED = 30.0


def cluster_steps(
    lambdas: Sequence[float], reference_range: float, lambda_: float, ranges: np.ndarray
) -> np.ndarray:
    """Return the operating point of each cluster.

    Parameters
    ----------
    lambdas
        Lambdas of the family, one per quality, lowest first, for a cluster whose range is `reference_range`; from the
        card, ``lambda``.
    reference_range
        Range in DN; from the card, ``reference_range``.
    lambda_
        Weight of the mean squared error, in DN², for coding the scene; may lie beyond `lambdas`.
    ranges
        max - min + 1 of each band of each cluster, in DN, shape (clusters, k).

    Returns
    -------
    numpy.ndarray
        Operating points, as in `bandpress.hyperprior.architecture.at_quality`, int64, shape (clusters,), from 0 to
        `Architecture.quality_steps` - 1.
    """
    worth = np.mean(np.square(np.asarray(ranges, np.float64)), axis=-1)
    wanted = math.log(lambda_) + np.log(worth / reference_range**2)
    qualities = np.interp(wanted, np.log(np.asarray(lambdas, np.float64)), np.arange(len(lambdas)))
    return np.round(qualities * STEPS_PER_QUALITY).astype(np.int64)


def lambda_of_step(step: float, k: int) -> float:
    """Return the lambda, at bits per pixel of k bands + lambda · MSE, that leads to a quantiser step.

    At high rates the distortion is step² / 12, and a sample costs h - log2(step) bits.
    """
    return float(6 * k / (np.log(2) * step * step))


def step_of_lambda(lambda_: float, k: int) -> float:
    """Return the quantiser step in DN that a lambda leads to; inverse of `lambda_of_step`."""
    return float(np.sqrt(6 * k / (np.log(2) * lambda_)))
