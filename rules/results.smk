# Reads: streams/{dataset}/{scene}/{codec}/{point}.json, models/{family}/{member}/model.json.
# Makes: rd.csv, one row a (scene, codec, point); tables/{name}.csv, .md and .tex.


rule collect_rd:
    """Put the records of every coded scene into one tidy table."""
    input:
        script="scripts/collect_rd.py",
        datasets=[f"{OUT}/datasets/{name}.json" for name in STUDY.test_sets],
        records=lambda wildcards: coded_files(".json"),
    output:
        RD,
    log:
        f"{OUT}/logs/collect_rd.log",
    benchmark:
        f"{OUT}/benchmarks/collect_rd.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        **SITE,
        mem_mb=memory(1000),
        runtime=30,
    params:
        streams=f"{OUT}/streams",
        points=json.dumps(
            {
                name: {codec: list(STUDY.codecs[codec].points) for codec in STUDY.codecs_of(name)}
                for name in STUDY.test_sets
            }
        ),
    shell:
        # The records are not named one by one: a command is at most 128 KiB long, some 2,000 of them.
        "envs/run analysis python {input.script} --streams {params.streams} --datasets {input.datasets}"
        " --points {params.points:q} --output {output} > {log} 2>&1"


# Each table: the files that its script is given in order, its options.
TABLES = {
    "rates": ([RD], []),
    "bd": ([RD], ["--reference", STUDY.figures.reference]),
    "speed": ([RD], []),
    "headline": ([RD], []),
    "datasets": (
        lambda wildcards: [study_file(), *(f for name in STUDY.test_sets for f in scene_folders(name))],
        [],
    ),
}
if LEARNED:
    TABLES["models"] = (model_folders(), [])


for name, (reads, options) in TABLES.items():

    rule:
        name:
            f"table_{name}"
        input:
            script=f"scripts/table_{name}.py",
            reads=reads,
        output:
            multiext(f"{OUT}/tables/{name}", ".md", ".tex"),
            csv=f"{OUT}/tables/{name}.csv",
        log:
            f"{OUT}/logs/tables/{name}.log",
        benchmark:
            f"{OUT}/benchmarks/tables/{name}.tsv"
        group:
            "tables"
        conda:
            "../envs/analysis.yaml"
        resources:
            **SITE,
            mem_mb=memory(1000),
            runtime=30,
        params:
            options=options,
        shell:
            "envs/run analysis python {input.script} {input.reads:q} {params.options:q}"
            " --output {output.csv} > {log} 2>&1"


rule provenance:
    """Write down what made the results: study, versions, revision, models, machine."""
    input:
        script="scripts/provenance.py",
        rd=RD,
        models=models_used(),
    output:
        f"{OUT}/provenance.json",
    log:
        f"{OUT}/logs/provenance.log",
    benchmark:
        f"{OUT}/benchmarks/provenance.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        **SITE,
        mem_mb=memory(1000),
        runtime=60,
    params:
        study=STUDY.study,
        file=study_file(),
        digest=hashlib.sha256(STUDY.model_dump_json().encode()).hexdigest(),
        streams=f"{OUT}/streams",
        environments=["analysis", "tensorflow"] if LEARNED else ["analysis"],
    shell:
        "envs/run analysis python {input.script} --study {params.study} --study-file {params.file:q}"
        " --digest {params.digest} --streams {params.streams} --models {input.models}"
        " --environments {params.environments} --output {output} > {log} 2>&1"
