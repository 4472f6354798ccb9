"""Base of codecs with one quantiser step for the scene: their options, and the search for a rate or a PSNR."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bandpress.codecs.base import Codec, Encoding
from bandpress.codecs.budgets import within
from bandpress.codecs.targets import LARGE, Trial, finite_psnr, one_target, search, strips
from bandpress.container.bitstream import Header
from bandpress.scene import Scene
from bandpress.stages import at_stage


@dataclass(frozen=True)
class Stepped(Codec):
    """Options of these codecs: a rate, a PSNR or a step.

    Parameters
    ----------
    rate
        Target in bits per sample of the whole file.
    psnr
        Target in dB at a peak of 65,535.
    step
        Quantiser step in DN.
    """

    shares_rate = True

    rate: float | None = None
    psnr: float | None = None
    step: float | None = None

    def __post_init__(self) -> None:
        one_target(self.name, rate=self.rate, psnr=self.psnr, step=self.step)

    @abstractmethod
    def _header(self, scene: Scene, step: float) -> Header:
        """Return the header of a scene coded with a step."""

    @abstractmethod
    def _trial(self, scene: Scene) -> Callable[[float], Trial]:
        """Return a function that codes a scene with a given step; it may cache work common to all steps."""

    def _trial_of_part(self, scene: Scene) -> Callable[[float], Trial] | None:
        """Return a function that codes a representative part of a large scene; None for small scenes."""
        return self._trial(strips(scene))

    def encode(self, scene: Scene) -> Encoding:
        """Code a scene with the given step, or the step that meets the target; see `Codec.encode`."""
        at_stage("transform")
        trial = self._trial(scene)
        if self.step is not None:
            found = trial(self.step)
        else:
            of_part = self._trial_of_part(scene) if scene.cube.size > LARGE else None
            found = search(trial, of_part, self._header(scene, 1.0), self.rate, self.psnr)
        header = self._header(scene, found.step)
        parameters = dict(header.parameters)
        if self.psnr is not None:
            parameters["psnr"] = round(finite_psnr(found.mse), 3)
        chunks: Iterable[bytes] = found.chunks
        if self.rate is not None:
            chunks = within(self.rate, header, chunks)
        return Encoding(header.bands_per_cluster, chunks, parameters, header.model)
