# Reads: rd.csv, streams/{dataset}/{scene}/{codec}/{point}.bpk and .bands.csv, scenes/{dataset}/{scene}/.
# Makes: figures/{name}.pdf, .svg, .png and .csv (the plotted numbers). Each is a target of its own, fig_{name}.


def figure(name):
    """Return the four files of a figure."""
    return [f"{OUT}/figures/{name}.{kind}" for kind in ("pdf", "svg", "png", "csv")]


def figure_files():
    """Return every figure of the study, one file each."""
    names = [f"rd_{sensor.lower()}" for sensor in STUDY.sensors]
    names += [f"per_band_{dataset.lower()}" for dataset in STUDY.test_sets]
    names += [f"false_colour_{dataset.lower()}" for dataset in STUDY.figures.false_colour]
    return [f"{OUT}/figures/{name}.pdf" for name in names]


def shown(dataset):
    """Return what a false-colour figure shows: the decoded scene of each CODEC/POINT."""
    scene = scenes_of(dataset)[0]
    points = STUDY.figures.false_colour[dataset].points.items()
    return {f"{codec}/{point}": f"{OUT}/decoded/{dataset}/{scene}/{codec}/{point}" for codec, point in points}


for sensor in STUDY.sensors:

    rule:
        name:
            f"fig_rd_{sensor.lower()}"
        input:
            script="scripts/fig_rd.py",
            rd=RD,
        output:
            figure(f"rd_{sensor.lower()}"),
        log:
            f"{OUT}/logs/figures/rd_{sensor.lower()}.log",
        benchmark:
            f"{OUT}/benchmarks/figures/rd_{sensor.lower()}.tsv"
        conda:
            "../envs/analysis.yaml"
        resources:
            **SITE,
            mem_mb=2000,
            runtime=30,
        params:
            sensor=sensor,
        shell:
            "envs/run analysis python {input.script} {input.rd} --sensor {params.sensor}"
            " --output {output[0]} > {log} 2>&1"


for dataset in STUDY.test_sets:

    rule:
        name:
            f"fig_per_band_{dataset.lower()}"
        input:
            script="scripts/fig_per_band.py",
            rd=RD,
            bands=lambda wildcards, dataset=dataset: coded_files(
                ".bands.csv", dataset, scenes_of(dataset)[:1]
            ),
        output:
            figure(f"per_band_{dataset.lower()}"),
        log:
            f"{OUT}/logs/figures/per_band_{dataset.lower()}.log",
        benchmark:
            f"{OUT}/benchmarks/figures/per_band_{dataset.lower()}.tsv"
        conda:
            "../envs/analysis.yaml"
        resources:
            **SITE,
            mem_mb=2000,
            runtime=30,
        params:
            scene=lambda wildcards, dataset=dataset: scenes_of(dataset)[0],
            rate=STUDY.figures.rate,
        shell:
            "envs/run analysis python {input.script} {input.rd} {input.bands} --scene {params.scene}"
            " --rate {params.rate}"
            " --output {output[0]} > {log} 2>&1"


for dataset in STUDY.figures.false_colour:

    rule:
        name:
            f"fig_false_colour_{dataset.lower()}"
        input:
            script="scripts/fig_false_colour.py",
            rd=RD,
            scene=lambda wildcards, dataset=dataset: scene_folders(dataset)[0],
            decoded=lambda wildcards, dataset=dataset: list(shown(dataset).values()),
        output:
            figure(f"false_colour_{dataset.lower()}"),
        log:
            f"{OUT}/logs/figures/false_colour_{dataset.lower()}.log",
        benchmark:
            f"{OUT}/benchmarks/figures/false_colour_{dataset.lower()}.tsv"
        conda:
            "../envs/analysis.yaml"
        resources:
            **SITE,
            mem_mb=memory(500, 14),
            runtime=30,
        params:
            bands=STUDY.figures.false_colour[dataset].bands,
            rate=STUDY.figures.rate,
            scene=lambda wildcards, dataset=dataset: scenes_of(dataset)[0],
            decoded=lambda wildcards, dataset=dataset: [
                f"--reconstruction={point}={folder}" for point, folder in shown(dataset).items()
            ],
        shell:
            "envs/run analysis python {input.script} {input.rd} --original {input.scene} --scene {params.scene}"
            " {params.decoded} --bands {params.bands} --rate {params.rate} --output {output[0]} > {log} 2>&1"
