# Reads: streams/{dataset}/{scene}/{codec}/{point}.json, models/{family}/{member}/model.json.
#        results/reference/{study}/, if the project keeps results of this study, and the claims of the paper.
# Makes: rd.csv, one row a (scene, codec, point); tables/{name}.csv, .md and .tex.


SCENES = f"{OUT}/tables/datasets.csv"
CLAIMS = "results/reference/claims.yaml"
REFERENCE = f"results/reference/{STUDY.study}"


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


# Each table: the files that its script is given in order, other files that it reads, its options.
TABLES = {
    "headline": ([RD], [], []),
    "bd": ([RD], [], ["--reference", STUDY.figures.reference]),
    "rates": ([RD], [], []),
    "claims": (
        [RD],
        [SCENES, CLAIMS],
        [f"--scenes={SCENES}", f"--claims={CLAIMS}"],
    ),
    "speed": ([RD], [], []),
    "datasets": (
        lambda wildcards: [folder for name in STUDY.test_sets for folder in scene_folders(name)],
        [],
        [f"--cards={json.dumps(cards())}"],
    ),
}
if LEARNED:
    TABLES["models"] = (model_folders(), [], [])
if Path(REFERENCE, "rd.csv").is_file():
    TABLES["comparison"] = (
        [],
        [
            RD,
            CLAIMS,
            *reference_files(),
            *(f"{OUT}/tables/{name}.csv" for name in ("bd", "datasets", "models") if name in TABLES),
        ],
        [OUT, f"--reference={REFERENCE}", f"--claims={CLAIMS}"],
    )


for name, (reads, needs, options) in TABLES.items():

    rule:
        name:
            f"table_{name}"
        input:
            script=f"scripts/table_{name}.py",
            caption=f"scripts/captions/table_{name}.rst",
            reads=reads,
            needs=needs,
        output:
            multiext(f"{OUT}/tables/{name}", ".md", ".tex"),
            csv=report(
                f"{OUT}/tables/{name}.csv",
                caption=f"../scripts/captions/table_{name}.rst",
                category="Tables",
                labels={"table": name},
            ),
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
