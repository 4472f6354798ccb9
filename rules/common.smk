# Reads: the study: --configfile FILE or config.yaml, changed by --config KEY=VALUE; or the `config:` of a workflow that
#        uses this one as a module.
# Makes: nothing; names the study's paths, data sets, codecs and points for the other rule files.

import hashlib
import json
import os
import re
from typing import NamedTuple

from bandpress.codecs import needs_tensorflow
from bandpress.datasets.inventory import inventory
from bandpress.errors import BandpressError
from bandpress.study import tracking
from bandpress.study.file import load_study, plain_values
from bandpress.study.missing import missing_table, must_be_brought


def here(path):
    """Return the path of a checkout file, relative to the working directory."""
    return os.path.relpath(ROOT / path)


# Keys of --config that are not keys of the study.
OPTIONS = ("download", "retrain", "tensorflow")


def read_study():
    """Return the study and its file, or stop before any job with one sentence per error."""
    files, changes = workflow.config_settings.configfiles, plain_values(workflow.config_settings.config)
    if config != workflow.config_settings.overwrite_config:
        files, changes = [], config  # used as a module: the including workflow gives the study
    if len(files) > 1:
        sys.exit(f"{len(files)} study files were given ({', '.join(map(str, files))}); expected one")
    file = Path(os.path.relpath(files[0]) if files else here("config.yaml"))
    try:
        return load_study(file, changes, OPTIONS), file
    except BandpressError as error:
        sys.exit(str(error))


STUDY, STUDY_FILE = read_study()
RUN = here("envs/run")
OUT = f"results/{STUDY.study}"
LOCK = STUDY_FILE.with_suffix(".lock.json")
RD = f"{OUT}/rd.csv"
SPEED = f"{OUT}/speed.csv"
SEEN = f"{OUT}/contents.json"


LEARNED = [name for name, entry in STUDY.codecs.items() if needs_tensorflow(entry.codec)]
CLASSIC = [name for name in STUDY.codecs if name not in LEARNED]


def said_yes(option):
    """Say whether an option of --config is on."""
    return str(config.get(option, False)).lower() in ("true", "yes", "1")


RETRAIN = said_yes("retrain")
NETWORKS = [name for name, family in STUDY.models.items() if family.source == "train"]
CONTEXTS = [name for name, family in STUDY.models.items() if family.source == "contexts"]
KEPT = [] if RETRAIN else [name for name in NETWORKS + CONTEXTS if STUDY.models[name].kept]
TRAINED = [name for name in NETWORKS if name not in KEPT]
# Families that codecs use and, for families trained here, those that they start from.
USED = {codec.model for codec in STUDY.codecs.values() if codec.model}
for _ in STUDY.models:
    USED |= {STUDY.models[name].init_from for name in TRAINED if name in USED} - {None}
USED = [name for name in STUDY.models if name in USED]
FETCHED = [name for name, family in STUDY.models.items() if family.source == "fetch"]


def one_of(names):
    """Return a wildcard constraint that matches only these names."""
    return "|".join(re.escape(name) for name in names) or "(?!)"


wildcard_constraints:
    dataset=one_of(STUDY.datasets),
    family=one_of(STUDY.models),
    codec=one_of(STUDY.codecs),
    scene=r"[A-Za-z0-9][A-Za-z0-9._+-]*",
    point=r"[A-Za-z0-9.-]+",
    member=r"gains|contexts|q\d+",


def scenes_of(dataset):
    """Return the scenes of a data set: those that the study lists, else those found after fetching."""
    listed = STUDY.datasets[dataset].scenes
    if listed:
        return list(listed)
    record = checkpoints.fetch_dataset.get(dataset=dataset).output.record
    return list(json.loads(Path(record).read_text())["scenes"])


def scene_folders(dataset):
    """Return the folders of a data set's prepared scenes."""
    return [f"{OUT}/scenes/{dataset}/{scene}" for scene in scenes_of(dataset)]


def coded_files(suffix, dataset=None, scenes=None):
    """Return the file with a suffix of each (scene, codec, point), optionally of one data set or some of its scenes."""
    return [
        f"{OUT}/streams/{dataset}/{scene}/{codec}/{point}{suffix}"
        for dataset in ([dataset] if dataset else STUDY.test_sets)
        for scene in (scenes or scenes_of(dataset))
        for codec in STUDY.codecs_of(dataset)
        for point in STUDY.codecs[codec].points
    ]


# Cluster settings of the study, if any. Results do not depend on them.
SITE = STUDY.cluster.resources


def scene_mb(folder):
    """Return the size of a prepared scene in MB; the size of an AVIRIS scene if it does not exist yet."""
    files = list(Path(folder).glob("*.raw"))
    return sum(file.stat().st_size for file in files) / 1e6 if files else 160


def memory(base, scenes=0):
    """Return a resource function: MB of the process plus some copies of its scenes; twice that on a retry."""

    def mem_mb(wildcards, input, attempt):
        folders = [path for key in ("scene", "train", "validate") for path in as_list(input.get(key, []))]
        return attempt * (base + int(scenes * sum(map(scene_mb, folders))))

    return mem_mb


def as_list(paths):
    """Return one path or many as a list."""
    return [paths] if isinstance(paths, str) else list(paths)


# Threads of timed jobs: all, so that nothing else runs; on a cluster, two of a shared node.
QUIET = workflow.cores if workflow.local_exec else 2

if workflow.local_exec:
    # One machine: no more parallel jobs than fit in memory, and one at a time on the GPU, unless --resources says
    # otherwise. A job that needs more than that runs alone.
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name, key, most in (("mem", "mem_mb", int(0.8 * physical / 1e6)), ("gpu", "gpu", 1)):
        if name not in workflow.global_resources:
            workflow.global_resources.update({key: most})
