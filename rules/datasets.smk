# Reads: the sources that the study names (a package's file, an address, a folder).
# Makes: datasets/{dataset}.json, where the verified source lies and which scenes it holds;
#        scenes/{dataset}/{scene}/, each scene cropped and in GICI raw, ready to be coded.


checkpoint fetch_dataset:
    """Fetch a data set, check it, and list its scenes."""
    input:
        script="scripts/fetch_dataset.py",
    output:
        record=f"{OUT}/datasets/{{dataset}}.json",
    log:
        f"{OUT}/logs/fetch_dataset/{{dataset}}.log",
    benchmark:
        f"{OUT}/benchmarks/fetch_dataset/{{dataset}}.tsv"
    retries: 0
    params:
        entry=lambda wildcards: STUDY.datasets[wildcards.dataset].recipe(),
        lock=f"{Path(workflow.basedir).name and STUDY.study}.lock.json",
    conda:
        "../envs/analysis.yaml"
    shell:
        "envs/run analysis python {input.script} --dataset {wildcards.dataset} --entry {params.entry:q}"
        " --output {output.record} 2>&1 | tee {log}"


rule prepare_scene:
    """Cut one scene out of its source and write it as GICI raw."""
    input:
        script="scripts/prepare_scene.py",
        record=f"{OUT}/datasets/{{dataset}}.json",
    output:
        directory(f"{OUT}/scenes/{{dataset}}/{{scene}}"),
    log:
        f"{OUT}/logs/prepare_scene/{{dataset}}/{{scene}}.log",
    benchmark:
        f"{OUT}/benchmarks/prepare_scene/{{dataset}}/{{scene}}.tsv"
    params:
        entry=lambda wildcards: STUDY.datasets[wildcards.dataset].recipe(),
    conda:
        "../envs/analysis.yaml"
    shell:
        "envs/run analysis python {input.script} --record {input.record} --scene {wildcards.scene}"
        " --entry {params.entry:q} --output {output} > {log} 2>&1"
