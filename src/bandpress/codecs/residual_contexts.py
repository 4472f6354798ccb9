"""Residuals with a KLT over their bands, the wavelet and learned contexts: what `predicted-learned` may code them with.

A chunk goes on after the side information that it begins with, in the same bits::

    reflections of the KLT, see `bandpress.transforms.klt`, if there are two bands or more
    what `bandpress.contexts.components` says
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import numpy as np

from bandpress.codecs.predicted import Item, Job, cost
from bandpress.contexts.components import Chunk, ComponentCoder, Part
from bandpress.transforms.klt import covariance, read_reflections, reflections, write_reflections
from bandpress.transforms.rklt import Reflections, Rklt

#: Variance that a component must have to be worth a vector of the basis, as a share of the distortion.
_SAFETY = 0.5


class ContextCoder:
    """Codes residuals with contexts, or not at all where that costs less.

    Parameters
    ----------
    coder
        Of components.
    """

    def __init__(self, coder: ComponentCoder, bands: int):
        self._coder = coder
        self.batch = coder.batch(bands)

    def code(self, jobs: Sequence[Job]) -> list[tuple[bytes, np.ndarray]]:
        """Code residuals; see `ResidualCoder.code`."""
        bases = [_basis(job) for job in jobs]
        coded = self._coder.code([_part(job, basis) for job, basis in zip(jobs, bases, strict=True)])
        found = []
        for job, basis, (chunk, residual) in zip(jobs, bases, coded, strict=True):
            if basis is not None:
                residual = Rklt(basis.matrix()).inverse(residual)
            nothing = self._coder.nothing(_part(job, None))
            found.append(min(nothing, (chunk, residual), key=partial(cost, job)))
        return found

    def decode(self, items: Iterable[Item]) -> Iterator[np.ndarray]:
        """Decode residuals; see `ResidualCoder.decode`."""
        bases: list[Reflections | None] = []

        def parsed() -> Iterator[Chunk]:
            for item in items:
                bands = item.cluster.count
                bases.append(read_reflections(item.reader, bands) if bands > 1 else None)
                yield Chunk(item.reader, item.chunk, bands, item.step)

        for components in self._coder.decode(parsed()):
            basis = bases.pop(0)
            yield components if basis is None else Rklt(basis.matrix()).inverse(components)


def _basis(job: Job) -> Reflections | None:
    if len(job.residual) < 2:
        return None
    level = _SAFETY * job.step * job.step / 12
    return reflections(covariance(job.residual), level, job.residual[0].size)


def _part(job: Job, basis: Reflections | None) -> Part:
    """Return what is to be coded of a job; without a basis, its residual as it is."""
    side, bands = job.side.copy(), len(job.residual)
    if bands > 1:
        write_reflections(side, basis or Reflections(bands, (), ()))
    components = job.residual if basis is None else Rklt(basis.matrix()).forward(job.residual)
    return Part(components, job.step, side)
