# Reads: the sources that the study names (a package's file, an address, a folder).
# Makes: datasets/{dataset}.json, location and scenes of the verified source;
#        scenes/{dataset}/{scene}/, each scene cropped and in GICI raw, ready to code.


# --config download=yes allows any size. A resource, not a parameter, since the files do not depend on it.
DOWNLOAD = "yes" if said_yes("download") else "ask"


localrules:
    fetch_dataset,


checkpoint fetch_dataset:
    """Fetch and check a data set and list its scenes; a local rule, since nodes may have no internet access."""
    input:
        script=here("scripts/fetch_dataset.py"),
        missing=lambda wildcards: note_missing(source_items(wildcards.dataset)),
    output:
        record=f"{OUT}/datasets/{{dataset}}.json",
    log:
        f"{OUT}/logs/fetch_dataset/{{dataset}}.log",
    benchmark:
        f"{OUT}/benchmarks/fetch_dataset/{{dataset}}.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        **SITE,
        mem_mb=memory(1000),
        runtime=1440,
        download=DOWNLOAD,
    params:
        run=RUN,
        entry=source_of,
        lock=LOCK,
        listing=listing,
    shell:
        "{params.run:q} analysis python {input.script:q}"
        " --dataset {wildcards.dataset}"
        " --entry {params.entry:q}"
        " --lock {params.lock:q}"
        " --download {resources.download}"
        " --output {output.record}"
        " 2>&1 | tee {log}"


rule prepare_scene:
    """Cut one scene out of its source and write it as GICI raw."""
    input:
        script=here("scripts/prepare_scene.py"),
        # After a new fetch, a scene is prepared again only if its own files changed: see `content`.
        record=ancient(f"{OUT}/datasets/{{dataset}}.json"),
    output:
        directory(f"{OUT}/scenes/{{dataset}}/{{scene}}"),
    log:
        f"{OUT}/logs/prepare_scene/{{dataset}}/{{scene}}.log",
    benchmark:
        f"{OUT}/benchmarks/prepare_scene/{{dataset}}/{{scene}}.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        **SITE,
        mem_mb=memory(2000),
        runtime=30,
    params:
        run=RUN,
        entry=entry_of,
        content=source_content,
        code=tracking.code("bandpress.datasets.prepare"),
    shell:
        "{params.run:q} analysis python {input.script:q}"
        " --record {input.record}"
        " --dataset {wildcards.dataset}"
        " --scene {wildcards.scene}"
        " --entry {params.entry:q}"
        " --output {output}"
        " > {log} 2>&1"
