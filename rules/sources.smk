# Reads: the sources that the study names, where they are on this machine.
# Makes: nothing; tells the rules what data and code their results are made from, and a person what is missing.

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


def kept_model(wildcards):
    """Return the folder of a model that is kept."""
    return here(STUDY.models[wildcards.family].kept_member(wildcards.member))


def source_items(name):
    """Return where a data set or a family of models comes from, as the inventory has it."""
    return [item for item in inventory(STUDY, retrain=True, lock=LOCK) if item.name == name]


def listing(wildcards):
    """Return where a data set lies; where the study does not list its scenes, the names of the files there as well."""
    dataset = STUDY.datasets[wildcards.dataset]
    folders = [item.folder for item in source_items(wildcards.dataset)]
    if dataset.scenes or dataset.source.kind != "path":
        return list(map(str, folders))
    return [str(path) for folder in folders for path in (folder, *sorted(folder.rglob("*")))]


# Snakemake remembers only those parameters that depend on wildcards alone, and not on `input`.


def source_content(wildcards):
    """Return a digest of the files that a scene is cut from."""
    return tracking.data(Path(OUT, "datasets", f"{wildcards.dataset}.json"), wildcards.scene, Path(SEEN))


def kept_content(wildcards):
    """Return a digest of the files of a model that is kept."""
    return tracking.folder(Path(kept_model(wildcards)), Path(SEEN))


def member_content(wildcards):
    """Return a digest of the files of a model that somebody else trained."""
    members = json.loads(Path(OUT, "models", f"{wildcards.family}.json").read_text())["members"]
    return tracking.folder(Path(members[int(wildcards.member.removeprefix("q")) - 1]), Path(SEEN))


def code_of(script):
    """Return a digest of a script and of the code that it imports."""
    return tracking.code(Path(here(f"scripts/{script}.py")))


def needed_to_code(dataset):
    """Return what coding a data set takes: its source, models, and what models that are not there yet train on."""
    datasets = {
        name: entry for name, entry in STUDY.datasets.items() if entry.role != "test" or name == dataset
    }
    codecs = {name: STUDY.codecs[name] for name in STUDY.codecs_of(dataset)}
    part = STUDY.model_copy(update={"datasets": datasets, "codecs": codecs})
    return inventory(part, retrain=RETRAIN, lock=LOCK)


# What jobs of this run need that is neither on this machine nor was fetched before, by name.
MISSING = {}


def note_missing(items):
    """Note what of these items is missing; return no input."""
    for item in items:
        kind = "datasets" if item.kind == "data set" else "models"
        if not item.here and not Path(OUT, kind, f"{item.name}.json").is_file():
            MISSING[item.name] = item
    return []


def stop_if_missing():
    """Say what is missing; where it cannot be fetched and somebody has to bring it, end the workflow before any job."""
    if not MISSING:
        return
    from bandpress.datasets.fetch import MOST
    from bandpress.datasets.reach import asked

    items = asked(STUDY, MISSING.values(), LOCK, None if DOWNLOAD == "yes" else MOST)
    print(missing_table(STUDY.study, items), file=sys.stderr)
    if must_be_brought(items):
        sys.exit(1)
