# Reads: the local sources that the study names.
# Makes: nothing; gives the rules digests of their data and code, and reports missing data.

# Keys that jobs depend on. Licence and citation are not among them, so changing these remakes nothing.
RECIPE = {"sensor", "role", "source", "scenes"}


def source_of(wildcards):
    """Return the dependencies of fetching, as JSON."""
    return STUDY.datasets[wildcards.dataset].model_dump_json(exclude_defaults=True, include=RECIPE)


def entry_of(wildcards):
    """Return the dependencies of one scene as JSON: its own crop, not its neighbours'."""
    dataset = STUDY.datasets[wildcards.dataset]
    scenes = {wildcards.scene: dataset.scenes[wildcards.scene]} if dataset.scenes else None
    alone = dataset.model_copy(update={"scenes": scenes})
    return alone.model_dump_json(include=RECIPE, exclude_defaults=True)


def kept_model(wildcards):
    """Return the folder of a kept model."""
    return here(STUDY.models[wildcards.family].kept_member(wildcards.member))


def source_items(name):
    """Return the inventory's items of a data set or a family of models."""
    return [item for item in inventory(STUDY, retrain=True, lock=LOCK) if item.name == name]


def listing(wildcards):
    """Return the location of a data set; if the study does not list its scenes, also its file names."""
    dataset = STUDY.datasets[wildcards.dataset]
    folders = [item.folder for item in source_items(wildcards.dataset)]
    if dataset.scenes or dataset.source.kind != "path":
        return list(map(str, folders))
    return [str(path) for folder in folders for path in (folder, *sorted(folder.rglob("*")))]


# Snakemake records only parameters that depend on wildcards alone, not on `input`.


def source_content(wildcards):
    """Return a digest of a scene's source files."""
    return tracking.data(Path(OUT, "datasets", f"{wildcards.dataset}.json"), wildcards.scene, Path(SEEN))


def kept_content(wildcards):
    """Return a digest of a kept model's files."""
    return tracking.folder(Path(kept_model(wildcards)), Path(SEEN))


def member_content(wildcards):
    """Return a digest of a fetched model's files."""
    members = json.loads(Path(OUT, "models", f"{wildcards.family}.json").read_text())["members"]
    return tracking.folder(Path(members[int(wildcards.member.removeprefix("q")) - 1]), Path(SEEN))


def code_of(script):
    """Return a digest of a script and of the code that it imports."""
    return tracking.code(Path(here(f"scripts/{script}.py")))


def needed_to_code(dataset):
    """Return the items needed to code a data set: its source, models, and training sets of models not yet trained."""
    datasets = {
        name: entry for name, entry in STUDY.datasets.items() if entry.role != "test" or name == dataset
    }
    codecs = {name: STUDY.codecs[name] for name in STUDY.codecs_of(dataset)}
    part = STUDY.model_copy(update={"datasets": datasets, "codecs": codecs})
    return inventory(part, retrain=RETRAIN, lock=LOCK)


# Missing items that jobs of this run need, by name.
MISSING = {}


def note_missing(items):
    """Record which of these items are missing; return no input."""
    for item in items:
        kind = "datasets" if item.kind == "data set" else "models"
        if not item.here and not Path(OUT, kind, f"{item.name}.json").is_file():
            MISSING[item.name] = item
    return []


def stop_if_missing():
    """Report missing items; end the workflow before any job if some need action by hand."""
    if not MISSING:
        return
    from bandpress.datasets.fetch import MOST
    from bandpress.datasets.reach import asked

    items = asked(STUDY, MISSING.values(), LOCK, None if DOWNLOAD == "yes" else MOST)
    print(missing_table(STUDY.study, items), file=sys.stderr)
    if must_be_brought(items):
        sys.exit(1)
