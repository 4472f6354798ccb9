# Reads: rd.csv, rd/{dataset}.csv, speed.csv, streams/{dataset}/{scene}/{codec}/{point}.bpk and .bands.csv, scenes/,
#        decoded/, tables/models.csv, models/{family}/{member}.training/log.csv.
# Makes: figures/{name}.pdf, .svg, .png and .csv (the plotted numbers). Each is a target of its own, fig_{name}.


def figure_files():
    """Return every figure of the study, one file each."""
    return [f"{OUT}/figures/{name}.pdf" for name in FIGURES]


def of_first_scene(dataset):
    """Return an input function for the options that choose a data set's first scene, the rate and the protocol."""
    protocol = STUDY.codecs[STUDY.figures.reference].protocol
    choice = ["--rate", STUDY.figures.rate, "--protocol", protocol]
    return lambda wildcards: ["--scene", scenes_of(dataset)[0], *choice]


def of_first_scenes_files(dataset, suffix):
    """Return an input function for the files beside the streams of a data set's first scene."""
    return lambda wildcards: coded_files(suffix, dataset, scenes_of(dataset)[:1])


def with_bands(dataset):
    """Return an input function for the table of a data set, and its first scene's metrics of each band."""
    bands = of_first_scenes_files(dataset, ".bands.csv")
    return lambda wildcards: [rd_of(dataset), *bands(wildcards)]


def shown(dataset):
    """Return the folder of the decoded scene for each CODEC/POINT that figures show."""
    scene = scenes_of(dataset)[0]
    points = STUDY.figures.false_colour[dataset].points.items()
    return {f"{codec}/{point}": f"{OUT}/decoded/{dataset}/{scene}/{codec}/{point}" for codec, point in points}


def samples_of(dataset):
    """Return an input function for the first scene of a data set, and its decoded points that figures show."""
    return lambda wildcards: [scene_folders(dataset)[0], *shown(dataset).values()]


def samples_options(dataset, *more):
    """Return an input function for the options that name these folders to a script."""

    def options(wildcards):
        decoded = [f"--reconstruction={point}={folder}" for point, folder in shown(dataset).items()]
        return [f"--original={scene_folders(dataset)[0]}", *decoded, *more]

    return options


def training_logs(networks):
    """Return LABEL=LOG for each training of a network, from the trained or the kept network's folder."""
    found = []
    for name in networks:
        for member in STUDY.models[name].names:
            kept = STUDY.models[name].kept_member(member)
            made = here(kept) if name in KEPT else f"{OUT}/models/{name}/{member}"
            found.append(f"{name}/{member}={made}.training/log.csv")
    return found


def figures_of_study():
    """Return every figure of the study by name. A figure of one data set or sensor needs no other's data."""
    figures = {}
    for sensor in STUDY.sensors:
        tables = [rd_of(name) for name in STUDY.test_sets if STUDY.datasets[name].sensor == sensor]
        figures[f"rd_{sensor.lower()}"] = Target("rd", tables, options=["--sensor", sensor])
        if BOUNDED:
            figures[f"bound_{sensor.lower()}"] = Target("bound", tables, options=["--sensor", sensor])
    figures |= {"gain": Target("gain", [RD]), "throughput": Target("throughput", [SPEED])}
    for dataset, look in STUDY.figures.false_colour.items():
        name, tables, samples = dataset.lower(), [rd_of(dataset)], samples_of(dataset)
        colours = samples_options(dataset, "--bands", *look.bands, "--rate", STUDY.figures.rate)
        figures[f"false_colour_{name}"] = Target("false_colour", tables, samples, colours)
        figures[f"spectra_{name}"] = Target("spectra", tables, samples, samples_options(dataset))
    for dataset in STUDY.test_sets:
        name, choice = dataset.lower(), of_first_scene(dataset)
        figures[f"per_band_{name}"] = Target("per_band", with_bands(dataset), options=choice)
        streams = of_first_scenes_files(dataset, ".bpk")
        figures[f"rate_map_{name}"] = Target("rate_map", [rd_of(dataset)], streams, choice)
    if USED:
        models = f"{OUT}/tables/models.csv"
        families = [f"--family={name}={entry.model}" for name, entry in STUDY.codecs.items() if entry.model]
        figures["complexity"] = Target("complexity", [models])
        figures["quality_complexity"] = Target(
            "quality_complexity", [RD], models, [f"--models={models}", *families]
        )
    networks = [name for name in USED if name in NETWORKS]
    if networks:
        figures["training"] = Target("training", [], model_folders(networks), training_logs(networks))
    return figures


FIGURES = figures_of_study()


for name, figure in FIGURES.items():

    rule:
        name:
            f"fig_{name}"
        input:
            script=here(f"scripts/fig_{figure.script}.py"),
            reads=figure.reads,
            needs=figure.needs,
        output:
            multiext(f"{OUT}/figures/{name}", ".png", ".csv"),
            svg=report(
                f"{OUT}/figures/{name}.svg",
                caption=f"../scripts/captions/fig_{figure.script}.rst",
                category="Figures",
                labels={"figure": name},
            ),
            pdf=f"{OUT}/figures/{name}.pdf",
        log:
            f"{OUT}/logs/figures/{name}.log",
        benchmark:
            f"{OUT}/benchmarks/figures/{name}.tsv"
        group:
            "figures"
        conda:
            "../envs/analysis.yaml"
        resources:
            **SITE,
            mem_mb=memory(2000),
            runtime=30,
        params:
            run=RUN,
            options=figure.options,
            code=code_of(f"fig_{figure.script}"),
        shell:
            "{params.run:q} analysis python {input.script:q} {input.reads:q}"
            " {params.options:q}"
            " --output {output.pdf}"
            " > {log} 2>&1"


del name, figure
