# Reads: the study file (--configfile FILE, or config.yaml).
# Makes: nothing; names the study's paths, data sets, codecs and points for the other rule files.

import hashlib
import json
import os
import re

from bandpress.codecs import codec_class
from bandpress.errors import BandpressError
from bandpress.study.progress import failures_of_log
from bandpress.study.file import load_study


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


LEARNED = [name for name, entry in STUDY.codecs.items() if codec_class(entry.codec).model_kind]
CLASSIC = [name for name in STUDY.codecs if name not in LEARNED]


def one_of(names):
    """Return a wildcard constraint that matches these names and nothing else."""
    return "|".join(re.escape(name) for name in names) or "(?!)"


wildcard_constraints:
    dataset=one_of(STUDY.datasets),
    family=one_of(STUDY.models),
    codec=one_of(STUDY.codecs),
    scene=r"[A-Za-z0-9][A-Za-z0-9._+-]*",
    point=r"[A-Za-z0-9.-]+",
    member=r"gains|contexts|q\d+",


def scenes_of(dataset):
    """Return the scenes of a data set: those that the study lists, else those found once it is fetched."""
    listed = STUDY.datasets[dataset].scenes
    if listed:
        return list(listed)
    record = checkpoints.fetch_dataset.get(dataset=dataset).output.record
    return list(json.loads(Path(record).read_text())["scenes"])


def scene_folders(dataset):
    """Return the folders of a data set's prepared scenes."""
    return [f"{OUT}/scenes/{dataset}/{scene}" for scene in scenes_of(dataset)]


def coded_files(suffix, dataset=None, scenes=None):
    """Return one file of each (scene, codec, point), with the given suffix; of one data set, or of some scenes of it."""
    return [
        f"{OUT}/streams/{dataset}/{scene}/{codec}/{point}{suffix}"
        for dataset in ([dataset] if dataset else STUDY.test_sets)
        for scene in (scenes or scenes_of(dataset))
        for codec in STUDY.codecs_of(dataset)
        for point in STUDY.codecs[codec].points
    ]


# Where jobs go on a cluster, if the study says it. Results do not depend on it.
SITE = STUDY.cluster.resources


def scene_mb(folder):
    """Return the size of a prepared scene in MB; that of an AVIRIS scene while it is not there yet."""
    files = list(Path(folder).glob("*.raw"))
    return sum(file.stat().st_size for file in files) / 1e6 if files else 160


def memory(base, scenes=0):
    """Return a resource function: MB of the process itself and how often it holds its scenes; twice that when retried."""

    def mem_mb(wildcards, input, attempt):
        folders = [path for key in ("scene", "train", "validate") for path in as_list(input.get(key, []))]
        return attempt * (base + int(scenes * sum(map(scene_mb, folders))))

    return mem_mb


def as_list(paths):
    """Return one path or many as a list."""
    return [paths] if isinstance(paths, str) else list(paths)


if workflow.local_exec:
    # One machine: no more jobs at once than its memory holds, and one at a time on its GPU, unless --resources says
    # otherwise. A job that asks for more than there is runs alone.
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name, key, most in (("mem", "mem_mb", int(0.8 * physical / 1e6)), ("gpu", "gpu", 1)):
        if name not in workflow.global_resources:
            workflow.global_resources.update({key: most})


def model_folders(families=None):
    """Return the folder of every model, of all families that are used or of some."""
    return [
        f"{OUT}/models/{family}/{member}"
        for family in (USED if families is None else families)
        for member in STUDY.models[family].names
    ]


def model_of(codec, point):
    """Return the folder of the model that a codec uses at a point, or nothing."""
    entry = STUDY.codecs[codec]
    if entry.model is None:
        return []
    member = STUDY.models[entry.model].member(entry.points[point].get("quality", 1))
    return [f"{OUT}/models/{entry.model}/{member}"]


def models_used():
    """Return the folders of all models that the study codes with."""
    points = ((codec, point) for codec in LEARNED for point in STUDY.codecs[codec].points)
    return sorted({folder for codec, point in points for folder in as_list(model_of(codec, point))})
