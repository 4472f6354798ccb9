"""Data sets: where scenes come from, fetched and checked, and made into the files that the workflow reads.

``entry`` is what a study says of a data set, ``fetch`` brings its source here, ``prepare`` makes scenes of it.
"""

from bandpress.datasets.entry import Dataset, SceneEntry, Source, refuse_overlaps
from bandpress.datasets.fetch import fetch
from bandpress.datasets.folder import data_folder
from bandpress.datasets.prepare import find_scenes, prepare

__all__ = [
    "Dataset",
    "SceneEntry",
    "Source",
    "data_folder",
    "fetch",
    "find_scenes",
    "prepare",
    "refuse_overlaps",
]
