# Reads: scenes/{dataset}/{scene}/ of the test sets, models/{family}/{member}/.
# Makes: streams/{dataset}/{scene}/{codec}/{point}.bpk, the coded scene; beside it .json, its metrics,
#        and .bands.csv, the metrics of each band. Metrics are measured on the decoded file from disk.
#        speed/{dataset}/{scene}/{codec}.json, times of one point with nothing else running.


# Digest of the code of each codec: files are coded again when it changes.
CODE = {name: tracking.code_of_codec(entry.codec) for name, entry in STUDY.codecs.items()}


rule code_scene:
    """Code a scene, decode the file, measure."""
    input:
        script=here("scripts/code_scene.py"),
        # Wait for a new fetch, after which the scene may have to be prepared again.
        fetched=ancient(f"{OUT}/datasets/{{dataset}}.json"),
        scene=f"{OUT}/scenes/{{dataset}}/{{scene}}",
        model=model_of,
    output:
        stream=f"{OUT}/streams/{{dataset}}/{{scene}}/{{codec}}/{{point}}.bpk",
        record=f"{OUT}/streams/{{dataset}}/{{scene}}/{{codec}}/{{point}}.json",
        bands=f"{OUT}/streams/{{dataset}}/{{scene}}/{{codec}}/{{point}}.bands.csv",
    log:
        f"{OUT}/logs/code_scene/{{dataset}}/{{scene}}/{{codec}}/{{point}}.log",
    benchmark:
        f"{OUT}/benchmarks/code_scene/{{dataset}}/{{scene}}/{{codec}}/{{point}}.tsv"
    wildcard_constraints:
        codec=one_of(CLASSIC),
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        **SITE,
        mem_mb=memory(600, 14),
        runtime=STUDY.cluster.coding_minutes,
    params:
        run=RUN,
        codec=lambda wildcards: STUDY.codecs[wildcards.codec].codec,
        options=coding_options,
        about=about,
        code=lambda wildcards: CODE[wildcards.codec],
        environment="analysis",
        model=model_option,
    shell:
        "BANDPRESS_THREADS={threads} {params.run:q} {params.environment} python {input.script:q}"
        " --scene {input.scene}"
        " {params.model}"
        " --codec {params.codec}"
        " --options {params.options:q}"
        " --about {params.about:q}"
        " --stream {output.stream}"
        " --record {output.record}"
        " --bands {output.bands}"
        " > {log} 2>&1"


use rule code_scene as code_scene_learned with:
    log:
        f"{OUT}/logs/code_scene_learned/{{dataset}}/{{scene}}/{{codec}}/{{point}}.log",
    benchmark:
        f"{OUT}/benchmarks/code_scene_learned/{{dataset}}/{{scene}}/{{codec}}/{{point}}.tsv"
    wildcard_constraints:
        codec=one_of(LEARNED),
    conda:
        "../envs/tensorflow.yaml"
    threads: 2
    resources:
        **SITE,
        mem_mb=memory(3000, 14),
        runtime=STUDY.cluster.coding_minutes,
    params:
        environment="tensorflow",


rule time_codec:
    """Time a codec at its point nearest to the study's comparison rate, with all cores and nothing else running."""
    input:
        script=here("scripts/time_codec.py"),
        fetched=ancient(f"{OUT}/datasets/{{dataset}}.json"),
        scene=f"{OUT}/scenes/{{dataset}}/{{scene}}",
        records=records_of_codec,
        models=lambda wildcards: models_of(wildcards.codec),
    output:
        f"{OUT}/speed/{{dataset}}/{{scene}}/{{codec}}.json",
    log:
        f"{OUT}/logs/time_codec/{{dataset}}/{{scene}}/{{codec}}.log",
    benchmark:
        f"{OUT}/benchmarks/time_codec/{{dataset}}/{{scene}}/{{codec}}.tsv"
    wildcard_constraints:
        codec=one_of(CLASSIC),
    conda:
        "../envs/analysis.yaml"
    threads: QUIET
    resources:
        **SITE,
        mem_mb=memory(600, 14),
        runtime=2 * STUDY.cluster.coding_minutes,
    params:
        run=RUN,
        codec=lambda wildcards: STUDY.codecs[wildcards.codec].codec,
        options=timing_options,
        rate=STUDY.figures.rate,
        environment="analysis",
    shell:
        "BANDPRESS_THREADS={threads} {params.run:q} {params.environment} python {input.script:q}"
        " --scene {input.scene}"
        " --codec {params.codec}"
        " --records {input.records}"
        " --options {params.options:q}"
        " --rate {params.rate}"
        " --output {output}"
        " > {log} 2>&1"


use rule time_codec as time_codec_learned with:
    log:
        f"{OUT}/logs/time_codec_learned/{{dataset}}/{{scene}}/{{codec}}.log",
    benchmark:
        f"{OUT}/benchmarks/time_codec_learned/{{dataset}}/{{scene}}/{{codec}}.tsv"
    wildcard_constraints:
        codec=one_of(LEARNED),
    conda:
        "../envs/tensorflow.yaml"
    resources:
        **SITE,
        mem_mb=memory(3000, 14),
        runtime=2 * STUDY.cluster.coding_minutes,
    params:
        environment="tensorflow",
