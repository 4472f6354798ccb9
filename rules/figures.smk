# Reads: rd.csv, streams/{dataset}/{scene}/{codec}/{point}.bpk and .bands.csv, scenes/, decoded/, tables/models.csv,
#        models/{family}/{member}.training/log.csv.
# Makes: figures/{name}.pdf, .svg, .png and .csv (the plotted numbers). Each is a target of its own, fig_{name}.


def of_first_scene(dataset):
    """Return an input function: the options that choose the first scene of a data set, and the rate."""
    return lambda wildcards: ["--scene", scenes_of(dataset)[0], "--rate", STUDY.figures.rate]


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


# Each figure: its script, the files that it is given in order, other files that it reads, its options.
FIGURES = {
    "gain": ("gain", [RD], [], []),
    "throughput": ("throughput", [RD], [], []),
}
for sensor in STUDY.sensors:
    FIGURES[f"rd_{sensor.lower()}"] = ("rd", [RD], [], ["--sensor", sensor])
for dataset in STUDY.test_sets:
    bands = of_first_scenes_files(dataset, ".bands.csv")
    streams = of_first_scenes_files(dataset, ".bpk")
    choice = of_first_scene(dataset)
    FIGURES[f"per_band_{dataset.lower()}"] = (
        "per_band",
        lambda wildcards, bands=bands: [RD, *bands(wildcards)],
        [],
        choice,
    )
    FIGURES[f"rate_map_{dataset.lower()}"] = ("rate_map", [RD], streams, choice)
for dataset, look in STUDY.figures.false_colour.items():
    samples, name = samples_of(dataset), dataset.lower()
    colours = samples_options(dataset, "--bands", *look.bands, "--rate", STUDY.figures.rate)
    FIGURES[f"spectra_{name}"] = ("spectra", [RD], samples, samples_options(dataset))
    FIGURES[f"false_colour_{name}"] = ("false_colour", [RD], samples, colours)
if LEARNED:
    MODELS = f"{OUT}/tables/models.csv"
    networks = [f"--family={name}={STUDY.codecs[name].model}" for name in LEARNED]
    FIGURES["complexity"] = ("complexity", [MODELS], [], [])
    FIGURES["quality_complexity"] = ("quality_complexity", [RD], MODELS, [f"--models={MODELS}", *networks])
if TRAINED:
    logs = [
        f"{folder.removeprefix(OUT + '/models/')}={folder}.training/log.csv"
        for folder in model_folders(TRAINED)
    ]
    FIGURES["training"] = ("training", [], model_folders(TRAINED), logs)


def figure_files():
    """Return every figure of the study, one file each."""
    return [f"{OUT}/figures/{name}.pdf" for name in FIGURES]


for name, (script, reads, needs, options) in FIGURES.items():

    rule:
        name:
            f"fig_{name}"
        input:
            script=f"scripts/fig_{script}.py",
            reads=reads,
            needs=needs,
        output:
            multiext(f"{OUT}/figures/{name}", ".svg", ".png", ".csv"),
            pdf=f"{OUT}/figures/{name}.pdf",
        log:
            f"{OUT}/logs/figures/{name}.log",
        benchmark:
            f"{OUT}/benchmarks/figures/{name}.tsv"
        conda:
            "../envs/analysis.yaml"
        resources:
            **SITE,
            mem_mb=2000,
            runtime=30,
        params:
            options=options,
        shell:
            "envs/run analysis python {input.script} {input.reads:q} {params.options:q}"
            " --output {output.pdf} > {log} 2>&1"
