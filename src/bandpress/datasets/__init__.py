"""Data sets: sources of scenes, fetched, checked and converted to the files that the workflow reads.

``entry`` is the schema of a data set in a study, ``fetch`` downloads its source, ``prepare`` converts it to scenes.
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
