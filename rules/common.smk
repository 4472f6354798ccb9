# Reads: the study file (--configfile FILE, or config.yaml).
# Makes: nothing; names the study's paths, data sets, codecs and points for the other rule files.

import json
import os
import re

from bandpress.codecs import NEEDS_TENSORFLOW
from bandpress.errors import BandpressError
from bandpress.study import load_study


def study_file():
    """Return the path of the one study file, relative to the working directory."""
    given = [Path(os.path.relpath(path)) for path in workflow.overwrite_configfiles]
    if len(given) > 1:
        sys.exit(f"{len(given)} study files were given ({', '.join(map(str, given))}); expected one")
    return given[0] if given else Path(os.path.relpath(workflow.basedir)) / "config.yaml"


def read_study():
    """Load the study, or stop before any job with one sentence a fault."""
    try:
        return load_study(study_file())
    except BandpressError as error:
        sys.exit(str(error))


STUDY = read_study()
OUT = f"results/{STUDY.study}"
RD = f"{OUT}/rd.csv"


LEARNED = [name for name, entry in STUDY.codecs.items() if entry.codec in NEEDS_TENSORFLOW]
CLASSIC = [name for name in STUDY.codecs if name not in LEARNED]


def one_of(names):
    """Return a wildcard constraint that matches these names and nothing else."""
    return "|".join(re.escape(name) for name in names) or "(?!)"


wildcard_constraints:
    dataset=one_of(STUDY.datasets),
    family=one_of(STUDY.models),
    codec=one_of(STUDY.codecs),
    scene=r"[A-Za-z0-9][A-Za-z0-9._-]*",
    point=r"[A-Za-z0-9.]+",
    quality=r"\d+",


def scenes_of(dataset):
    """Return the scenes of a data set: those that the study lists, else those found once it is fetched."""
    listed = STUDY.datasets[dataset].scenes
    if listed:
        return list(listed)
    record = checkpoints.fetch_dataset.get(dataset=dataset).output.record
    return json.loads(Path(record).read_text())["scenes"]


def scene_folders(dataset):
    """Return the folders of a data set's prepared scenes."""
    return [f"{OUT}/scenes/{dataset}/{scene}" for scene in scenes_of(dataset)]


def coded_files(suffix, dataset=None):
    """Return one file of each (scene, codec, point) of one or all test sets, with the given suffix."""
    return [
        f"{OUT}/streams/{dataset}/{scene}/{codec}/{point}{suffix}"
        for dataset in ([dataset] if dataset else STUDY.test_sets)
        for scene in scenes_of(dataset)
        for codec in STUDY.codecs_of(dataset)
        for point in STUDY.codecs[codec].points
    ]


def model_of(codec, point):
    """Return the folder of the model that a codec uses at a point, or nothing."""
    family = STUDY.codecs[codec].model
    return [] if family is None else [f"{OUT}/models/{family}/{point}"]
