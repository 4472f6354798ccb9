"""Training patches drawn on the GPU, for `pretrain_torch.py`: whole scenes or parts, padded as coding pads them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from bandpress.hyperprior.training.patches import band_ranges
from bandpress.scene import Scene


class Batch(NamedTuple):
    """Patches: x (clusters, k, lines, samples), ranges in DN (clusters, k), lines and samples that count."""

    x: torch.Tensor
    ranges: torch.Tensor
    sizes: torch.Tensor


class Augmenter:
    """Draws training patches: whole scenes or parts, as coding pads them, all on the device.

    Half of the patches are rotated and scaled by up to 1.6; a third are clusters mixed of two of one scene; a share of
    the bands of `SPREAD` comes from anywhere; each is sharpened by up to its own fine detail.
    """

    SPREAD, MIXED, WARPED, DIMMED = 0.15, 0.33, 0.5, 0.3

    def __init__(self, scenes: Sequence[Scene], k: int, device: torch.device) -> None:
        self.k = k
        self.side = tuple(min(getattr(scene, axis) for scene in scenes) for axis in ("lines", "samples"))
        self.frame = tuple(-(-(side + 8) // 16) * 16 for side in self.side)
        self.cubes, self.ranges = [], []
        for scene in scenes:
            minimum, ranges = band_ranges(scene.cube)
            cube = (scene.cube - minimum[:, None, None]) / ranges[:, None, None]
            self.cubes.append(torch.tensor(cube, dtype=torch.float32, device=device))
            self.ranges.append(torch.tensor(ranges, device=device))
        area = np.array([cube[0].numel() * (len(cube) - self.k + 1) for cube in self.cubes], float)
        self.share = torch.tensor(area / area.sum(), device=device)
        self.device = device

    def draw(self, count: int) -> Batch:
        """Draw patches."""
        of_scene = (
            torch.multinomial(self.share, count, replacement=True)
            .bincount(minlength=len(self.cubes))
            .tolist()
        )
        parts = [self._of_scene(i, n) for i, n in enumerate(of_scene) if n]
        order = torch.randperm(count, device=self.device)
        x, ranges = (torch.cat([part[i] for part in parts])[order] for i in range(2))
        x = self._sharpened(x)
        sizes = self._sizes(count)
        x = functional.grid_sample(x, self._grid(sizes), "bicubic", "reflection", align_corners=True)
        dim = torch.where(self._uniform(count) < self.DIMMED, self._uniform(count, 0.5, 1.0), 1.0)[:, None]
        x = x * dim[:, :, None, None] + ((1 - dim) * self._uniform(count)[:, None])[:, :, None, None]
        return Batch(x, ranges / dim, sizes)

    def _of_scene(self, number: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        cube, ranges = self.cubes[number], self.ranges[number]
        x, of_bands = self._clusters(cube, ranges, count)
        other, _ = self._clusters(cube, ranges, count)
        weight = self._uniform(count, -1, 1) * (self._uniform(count) < self.MIXED)
        x = x + weight[:, None, None, None] * other
        low, high = x.amin((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
        width = (high - low).clamp(min=1e-3)
        mixed = (weight != 0)[:, None, None, None]
        x = torch.where(mixed, (x - low) / width, x)
        return x, torch.where(mixed[:, :, 0, 0], of_bands * width[:, :, 0, 0], of_bands)

    def _clusters(
        self, cube: torch.Tensor, ranges: torch.Tensor, count: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        along = torch.arange(self.k, device=self.device)
        bands = self._integers(count, len(cube) - self.k + 1)[:, None] + along
        anywhere = self._integers(count * self.k, len(cube)).view(count, self.k).sort(1).values
        bands = torch.where((self._uniform(count) < self.SPREAD)[:, None] & (self.k > 1), anywhere, bands)
        rows, columns = (
            self._integers(count, whole - side + 1)[:, None] + torch.arange(side, device=self.device)
            for whole, side in zip(cube.shape[1:], self.side, strict=True)
        )
        return cube[bands[:, :, None, None], rows[:, None, :, None], columns[:, None, None, :]], ranges[bands]

    def _sharpened(self, x: torch.Tensor) -> torch.Tensor:
        mean = functional.avg_pool2d(functional.pad(x, (1, 1, 1, 1), "replicate"), 3, 1)
        return x + self._uniform(len(x))[:, None, None, None] * (x - mean)

    def _sizes(self, count: int) -> torch.Tensor:
        """Draw sizes: half those of whole scenes, a quarter without padding, a quarter of any size."""
        kind = self._uniform(count)
        sizes = []
        for whole, frame in zip(self.side, self.frame, strict=True):
            any_size = self._integers(count, frame // 3) + frame - frame // 3 + 1
            full = torch.where(kind < 0.75, frame, any_size)
            sizes.append(torch.where(kind < 0.5, whole, full))
        return torch.stack(sizes, 1)

    def _grid(self, sizes: torch.Tensor) -> torch.Tensor:
        """Return where to read each sample of the frame; beyond the size the last sample is repeated."""
        count = len(sizes)
        steps = [torch.arange(side, device=self.device).expand(count, -1) for side in self.frame]
        middle = (sizes - 1) / 2.0
        y, x = (
            torch.minimum(step, sizes[:, i, None] - 1) - middle[:, i, None] for i, step in enumerate(steps)
        )
        y, x = y[:, :, None].expand(-1, -1, x.shape[1]), x[:, None, :].expand(-1, y.shape[1], -1)
        warped = self._uniform(count) < self.WARPED
        angle = torch.where(
            warped, self._uniform(count, 0, 2 * math.pi), self._integers(count, 4) * (math.pi / 2)
        )
        zoom = torch.where(warped, torch.exp2(self._uniform(count, -0.5, 0.7)), 1.0)
        flip = self._integers(count, 2) * 2.0 - 1
        cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
        turned = [c[:, None, None] for c in (cos, -sin * flip, sin, cos * flip)]
        rows, columns = turned[0] * y + turned[1] * x, turned[2] * y + turned[3] * x
        grid = []
        for part, i in ((columns, 1), (rows, 0)):
            room = (self.side[i] - sizes[:, i]).clamp(min=0)
            start = (self._uniform(count) * (room + 1)).floor() + middle[:, i]
            grid.append((part + start[:, None, None]) * (2 / (self.side[i] - 1)) - 1)
        return torch.stack(grid, -1)

    def _uniform(self, count: int, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        return torch.rand(count, device=self.device) * (high - low) + low

    def _integers(self, count: int, end: int) -> torch.Tensor:
        return torch.randint(end, (count,), device=self.device)


def held_out(scenes: Sequence[Scene], k: int, device: torch.device) -> Batch:
    """Return all clusters of the validation scenes, padded as coding pads them."""
    found, widths = [], []
    for scene in scenes:
        minimum, ranges = band_ranges(scene.cube)
        cube = (scene.cube - minimum[:, None, None]) / ranges[:, None, None]
        cube = np.pad(cube, [(0, 0), *((0, -side % 16) for side in cube.shape[1:])], mode="edge")
        starts = range(0, scene.bands - k + 1, k)
        found += [cube[i : i + k] for i in starts]
        widths += [ranges[i : i + k] for i in starts]
    size = torch.tensor([[scene.lines, scene.samples]] * len(found), device=device)
    x, of_bands = (
        torch.tensor(np.stack(part), dtype=torch.float32, device=device) for part in (found, widths)
    )
    return Batch(x, of_bands, size)
