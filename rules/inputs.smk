# Reads: nothing; uses the names of rules/common.smk.
# Makes: nothing; defines the input and option functions of the rules.


def training_scenes(use):
    """Return an input function for the folders of a family's scenes for one use, train_on or validate_on."""

    def folders(wildcards):
        datasets = getattr(STUDY.models[wildcards.family], use)
        return [folder for dataset in datasets for folder in scene_folders(dataset)]

    return folders


def training_records(wildcards):
    """Return the records of the data sets that a training reads, so that it waits for a new fetch."""
    family = STUDY.models[wildcards.family]
    return [f"{OUT}/datasets/{dataset}.json" for dataset in [*family.train_on, *family.validate_on]]


def beginning(wildcards):
    """Return the network that a training starts from, if any."""
    first = STUDY.models[wildcards.family].init_from
    return [] if first is None else [f"{OUT}/models/{first}/{wildcards.member}"]


def options_of(codec, point):
    """Return the options of a codec at a point, without a quality that names a separate model."""
    entry = STUDY.codecs[codec]
    options = dict(entry.points[point])
    if entry.model and STUDY.models[entry.model].member(1) == "q1":
        options.pop("quality", None)
    return options


def coding_options(wildcards):
    """Return the codec's options at a point as JSON, without those that do not change the file."""
    return json.dumps(options_of(wildcards.codec, wildcards.point), sort_keys=True)


def model_of(wildcards):
    """Return the model for coding a file, if any."""
    return model_at(wildcards.codec, wildcards.point)


def model_option(wildcards, input):
    """Return the --model option, if there is a model."""
    return f"--model {input.model}" if input.model else ""


def timing_options(wildcards):
    """Return the codec's options, model included, at each of its points as JSON."""
    points = {}
    for point in STUDY.codecs[wildcards.codec].points:
        model = {"model": folder for folder in model_at(wildcards.codec, point)}
        points[point] = options_of(wildcards.codec, point) | model
    return json.dumps(points, sort_keys=True)


def records_of_codec(wildcards):
    """Return the records of a scene at each point of a codec."""
    folder = f"{OUT}/streams/{wildcards.dataset}/{wildcards.scene}/{wildcards.codec}"
    return [f"{folder}/{point}.json" for point in STUDY.codecs[wildcards.codec].points]


def speed_records(wildcards):
    """Return the times of every codec, each taken on the first scene of its test sets."""
    return [
        f"{OUT}/speed/{dataset}/{scenes_of(dataset)[0]}/{codec}.json"
        for dataset in STUDY.test_sets
        for codec in STUDY.codecs_of(dataset)
    ]


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


def rd_of(dataset):
    """Return the table of a data set's results."""
    return f"{OUT}/rd/{dataset}.csv"


def points_of_dataset(wildcards):
    """Return the points of each codec that codes a data set, as JSON."""
    codecs = {codec: list(STUDY.codecs[codec].points) for codec in STUDY.codecs_of(wildcards.dataset)}
    return json.dumps({wildcards.dataset: codecs})


def all_scenes(wildcards):
    """Return the folders of all prepared scenes of the test sets."""
    return [folder for name in STUDY.test_sets for folder in scene_folders(name)]


def model_folders(families=None):
    """Return the folder of every model, of all used families or of some."""
    return [
        f"{OUT}/models/{family}/{member}"
        for family in (USED if families is None else families)
        for member in STUDY.models[family].names
    ]


def model_at(codec, point):
    """Return the folder of the model that a codec uses at a point, or nothing."""
    entry = STUDY.codecs[codec]
    if entry.model is None:
        return []
    member = STUDY.models[entry.model].member(entry.points[point].get("quality", 1))
    return [f"{OUT}/models/{entry.model}/{member}"]


def models_of(*codecs):
    """Return the folders of all models of some codecs."""
    points = ((codec, point) for codec in codecs for point in STUDY.codecs[codec].points)
    return sorted({folder for codec, point in points for folder in model_at(codec, point)})


def study_card():
    """Return the description of the study for its page."""
    datasets = {
        name: entry.model_dump(mode="json", exclude_defaults=True) for name, entry in STUDY.datasets.items()
    }
    return {
        "study": STUDY.study,
        "title": STUDY.title,
        "file": str(STUDY_FILE),
        "datasets": datasets,
    }
