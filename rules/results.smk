# Reads: streams/{dataset}/{scene}/{codec}/{point}.json, speed/{dataset}/{scene}/{codec}.json.
# Makes: rd/{dataset}.csv and rd.csv, one row per (scene, codec, point); speed.csv, the same with times of lone runs;
#        provenance.json.


rule collect_dataset:
    """Collect the records of a data set's coded scenes in one tidy table."""
    input:
        script=here("scripts/collect_rd.py"),
        dataset=f"{OUT}/datasets/{{dataset}}.json",
        missing=lambda wildcards: note_missing(needed_to_code(wildcards.dataset)),
        records=lambda wildcards: coded_files(".json", wildcards.dataset),
    output:
        f"{OUT}/rd/{{dataset}}.csv",
    log:
        f"{OUT}/logs/collect_dataset/{{dataset}}.log",
    benchmark:
        f"{OUT}/benchmarks/collect_dataset/{{dataset}}.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        **SITE,
        mem_mb=memory(1000),
        runtime=30,
    params:
        run=RUN,
        streams=f"{OUT}/streams",
        points=points_of_dataset,
    shell:
        # Records are not named one by one: a command is limited to 128 KiB, about 2,000 records.
        "{params.run:q} analysis python {input.script:q}"
        " --streams {params.streams}"
        " --datasets {input.dataset}"
        " --points {params.points:q}"
        " --output {output}"
        " > {log} 2>&1"


rule collect_rd:
    """Merge the tables of all data sets."""
    input:
        script=here("scripts/collect_rd.py"),
        tables=[rd_of(name) for name in STUDY.test_sets],
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
        run=RUN,
    shell:
        "{params.run:q} analysis python {input.script:q} {input.tables} --output {output} > {log} 2>&1"


use rule collect_rd as collect_speed with:
    input:
        script=here("scripts/collect_rd.py"),
        tables=speed_records,
    output:
        SPEED,
    log:
        f"{OUT}/logs/collect_speed.log",
    benchmark:
        f"{OUT}/benchmarks/collect_speed.tsv"


rule provenance:
    """Record the provenance of the results: study, versions, revision, models, machine."""
    input:
        script=here("scripts/provenance.py"),
        rd=RD,
        models=models_of(*STUDY.codecs),
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
        run=RUN,
        study=STUDY.study,
        file=STUDY_FILE,
        digest=hashlib.sha256(STUDY.model_dump_json().encode()).hexdigest(),
        streams=f"{OUT}/streams",
        environments=["analysis", "tensorflow"] if LEARNED else ["analysis"],
    shell:
        "{params.run:q} analysis python {input.script:q}"
        " --study {params.study}"
        " --study-file {params.file:q}"
        " --digest {params.digest}"
        " --streams {params.streams}"
        " --models {input.models}"
        " --environments {params.environments}"
        " --output {output}"
        " > {log} 2>&1"
