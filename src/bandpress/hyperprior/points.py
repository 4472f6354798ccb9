"""Operating points of the learned codec: a model of a family and the weight of the error."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bandpress.errors import CodecError, ModelError
from bandpress.hyperprior.store import StoredModel


class Point(NamedTuple):
    """An operating point: a model and, for models with gains, the weight of the error.

    Parameters
    ----------
    model
        The model.
    lambda_
        Weight of the mean squared error in DN², from which each cluster's step follows; None: every cluster at step 0.
    """

    model: StoredModel
    lambda_: float | None = None


def point_of_quality(family: Sequence[StoredModel], quality: float | None) -> Point:
    """Return the operating point of a family for a quality.

    Raises
    ------
    CodecError
        If the family has no such quality.
    """
    gains = has_gains(family)
    most = family[0].architecture.qualities if gains else len(family)
    chosen = float(most) if quality is None else float(quality)
    if not 1 <= chosen <= most or (not gains and chosen != int(chosen)):
        kind = "a number" if gains else "an integer"
        raise CodecError(f"quality {chosen:g}; expected {kind} of 1 to {most} with this family of models")
    if not gains:
        return Point(family[int(chosen) - 1])
    return Point(
        family[0], float(np.exp(np.interp(chosen - 1, np.arange(most), np.log(lambdas_of(family[0])))))
    )


def has_gains(family: Sequence[StoredModel]) -> bool:
    """Say whether a family is one network with gains, not separate models."""
    return len(family) == 1 and family[0].architecture.qualities > 1


def lambdas_of(model: StoredModel) -> np.ndarray:
    """Return the lambda of each quality of a model with gains, from its card, lowest first.

    Raises
    ------
    ModelError
        If the card does not hold them.
    """
    found = model.card.get("lambda")
    try:
        values = np.asarray(found, float)
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.shape != (model.architecture.qualities,) or not (np.diff(values, prepend=0) > 0).all():
        raise ModelError(
            f"{model.path}: lambda on the card is {found!r}; "
            f"expected {model.architecture.qualities} numbers, lowest first, one per quality"
        )
    return values
