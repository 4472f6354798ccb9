# Reads: rd.csv, streams/{dataset}/{scene}/{codec}/{point}.bpk and .bands.csv, scenes/, decoded/, tables/models.csv,
#        models/{family}/{member}.training/log.csv.
# Makes: figures/{name}.pdf, .svg, .png and .csv (the plotted numbers). Each is a target of its own, fig_{name}.


# Each figure: its script, the files that it is given in order, other files that it reads, its options.
FIGURES = {f"rd_{sensor.lower()}": ("rd", [RD], [], ["--sensor", sensor]) for sensor in STUDY.sensors}
FIGURES["gain"] = ("gain", [RD], [], [])
for dataset, look in STUDY.figures.false_colour.items():
    samples, name = samples_of(dataset), dataset.lower()
    colours = samples_options(dataset, "--bands", *look.bands, "--rate", STUDY.figures.rate)
    FIGURES[f"false_colour_{name}"] = ("false_colour", [RD], samples, colours)
    FIGURES[f"spectra_{name}"] = ("spectra", [RD], samples, samples_options(dataset))
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
FIGURES["throughput"] = ("throughput", [RD], [], [])
if LEARNED:
    MODELS = f"{OUT}/tables/models.csv"
    networks = [f"--family={name}={STUDY.codecs[name].model}" for name in LEARNED]
    FIGURES["complexity"] = ("complexity", [MODELS], [], [])
    FIGURES["quality_complexity"] = ("quality_complexity", [RD], MODELS, [f"--models={MODELS}", *networks])
if set(NETWORKS) & set(USED):
    logs = [f"{label}={log}" for label, log in training_logs()]
    FIGURES["training"] = ("training", [], model_folders(n for n in USED if n in NETWORKS), logs)


for name, (script, reads, needs, options) in FIGURES.items():

    rule:
        name:
            f"fig_{name}"
        input:
            script=f"scripts/fig_{script}.py",
            reads=reads,
            needs=needs,
        output:
            multiext(f"{OUT}/figures/{name}", ".png", ".csv"),
            svg=report(
                f"{OUT}/figures/{name}.svg",
                caption=f"../scripts/captions/fig_{script}.rst",
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
            options=options,
        shell:
            "envs/run analysis python {input.script} {input.reads:q} {params.options:q}"
            " --output {output.pdf} > {log} 2>&1"
