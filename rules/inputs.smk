# Reads: nothing; uses the names of rules/common.smk.
# Makes: nothing; the functions that tell each rule what it reads, with which options.

# What jobs depend on: not the licence or the citation, whose change remakes nothing.
RECIPE = {"sensor", "role", "source", "scenes"}


def source_of(wildcards):
    """Return what fetching depends on, as JSON."""
    return STUDY.datasets[wildcards.dataset].model_dump_json(exclude_defaults=True, include=RECIPE)


def entry_of(wildcards):
    """Return what one scene depends on as JSON: its own crop, not that of its neighbours."""
    dataset = STUDY.datasets[wildcards.dataset]
    scenes = {wildcards.scene: dataset.scenes[wildcards.scene]} if dataset.scenes else None
    alone = dataset.model_copy(update={"scenes": scenes})
    return alone.model_dump_json(include=RECIPE, exclude_defaults=True)


def training_scenes(use):
    """Return an input function: the folders of a family's scenes for one use, train_on or validate_on."""

    def folders(wildcards):
        datasets = getattr(STUDY.models[wildcards.family], use)
        return [folder for dataset in datasets for folder in scene_folders(dataset)]

    return folders


def options_of(codec, point):
    """Return the options of a codec at a point; a quality that is a model of its own is not among them."""
    entry = STUDY.codecs[codec]
    options = dict(entry.points[point])
    if entry.model and STUDY.models[entry.model].member(1) == "q1":
        options.pop("quality", None)
    return options


def coding_options(wildcards):
    """Return the codec's options at a point as JSON; what does not change the file is not among them."""
    return json.dumps(options_of(wildcards.codec, wildcards.point), sort_keys=True)


def about(wildcards):
    """Return the columns of rd.csv that come from the study."""
    entry = STUDY.codecs[wildcards.codec]
    return json.dumps(
        {
            "study": STUDY.study,
            "dataset": wildcards.dataset,
            "sensor": STUDY.datasets[wildcards.dataset].sensor,
            "scene": wildcards.scene,
            "codec": wildcards.codec,
            "label": entry.label or wildcards.codec,
            "family": entry.codec,
            "point": wildcards.point,
            "protocol": entry.protocol,
        }
    )


def cards():
    """Return what the study says of its test sets, by name."""
    return {
        name: STUDY.datasets[name].model_dump(include={"role", "sensor", "licence", "citation"})
        for name in STUDY.test_sets
    }


def study_card():
    """Return what the page of the study says of it."""
    datasets = {
        name: entry.model_dump(mode="json", exclude_defaults=True) for name, entry in STUDY.datasets.items()
    }
    return {
        "study": STUDY.study,
        "title": STUDY.title,
        "file": str(study_file()),
        "datasets": datasets,
    }


def reference_files():
    """Return the files of the reference results that a comparison reads."""
    return sorted(str(path) for path in Path(REFERENCE).rglob("*") if path.suffix in (".csv", ".yaml"))


def table_files():
    """Return every table of the study, one file each."""
    return [f"{OUT}/tables/{name}.csv" for name in TABLES]


def figure_files():
    """Return every figure of the study, one file each."""
    return [f"{OUT}/figures/{name}.pdf" for name in FIGURES]


def of_first_scene(dataset):
    """Return an input function: the options that choose the first scene of a data set, the rate, and the protocol."""
    protocol = STUDY.codecs[STUDY.figures.reference].protocol
    choice = ["--rate", STUDY.figures.rate, "--protocol", protocol]
    return lambda wildcards: ["--scene", scenes_of(dataset)[0], *choice]


def of_first_scenes_files(dataset, suffix):
    """Return an input function: the files beside the streams of the first scene of a data set."""
    return lambda wildcards: coded_files(suffix, dataset, scenes_of(dataset)[:1])


def shown(dataset):
    """Return the points of which samples are shown: the folder of the decoded scene by CODEC/POINT."""
    scene = scenes_of(dataset)[0]
    points = STUDY.figures.false_colour[dataset].points.items()
    return {f"{codec}/{point}": f"{OUT}/decoded/{dataset}/{scene}/{codec}/{point}" for codec, point in points}


def samples_of(dataset):
    """Return an input function: the first scene of a data set, and what is shown of it decoded."""
    return lambda wildcards: [scene_folders(dataset)[0], *shown(dataset).values()]


def samples_options(dataset, *more):
    """Return an input function: the options that hand those samples to a script."""

    def options(wildcards):
        decoded = [f"--reconstruction={point}={folder}" for point, folder in shown(dataset).items()]
        return [f"--original={scene_folders(dataset)[0]}", *decoded, *more]

    return options


def commands_of_failures(logs):
    """Return the commands that run again alone what failed, from Snakemake's logs; none if they were shown already."""
    if {"bandpress", "--logger=bandpress"} & set(sys.argv):
        return ""
    texts = (Path(path).read_text(errors="replace") for path in as_list(logs))
    return failures_of_log("\n".join(texts), sys.argv)


def training_logs():
    """Return a label and the log of each training of a network: beside the network that it made, or that is kept."""
    found = []
    for name in (name for name in USED if name in NETWORKS):
        for member in STUDY.models[name].names:
            kept = STUDY.models[name].kept_member(member)
            made = kept if name in KEPT else f"{OUT}/models/{name}/{member}"
            found.append((f"{name}/{member}", f"{made}.training/log.csv"))
    return found


def beginning(wildcards):
    """Return the network that a training goes on from, if there is one."""
    first = STUDY.models[wildcards.family].init_from
    return [] if first is None else [f"{OUT}/models/{first}/{wildcards.member}"]
