# Reads: streams/{dataset}/{scene}/{codec}/{point}.bpk, models/{family}/{member}/.
# Makes: decoded/{dataset}/{scene}/{codec}/{point}/, the reconstruction, for the figures that show samples.


rule decode_scene:
    """Decode a file for the figures that show samples."""
    input:
        stream=f"{OUT}/streams/{{dataset}}/{{scene}}/{{codec}}/{{point}}.bpk",
        model=model_of,
    output:
        directory(f"{OUT}/decoded/{{dataset}}/{{scene}}/{{codec}}/{{point}}"),
    log:
        f"{OUT}/logs/decode_scene/{{dataset}}/{{scene}}/{{codec}}/{{point}}.log",
    benchmark:
        f"{OUT}/benchmarks/decode_scene/{{dataset}}/{{scene}}/{{codec}}/{{point}}.tsv"
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
        code=lambda wildcards: CODE[wildcards.codec],
        environment="analysis",
        model=model_option,
    shell:
        "mkdir -p {output} &&"
        " BANDPRESS_THREADS={threads} {params.run:q} {params.environment} python -m bandpress decompress {input.stream}"
        " {params.model}"
        " --output {output}"
        " --overwrite"
        " > {log} 2>&1"


use rule decode_scene as decode_scene_learned with:
    log:
        f"{OUT}/logs/decode_scene_learned/{{dataset}}/{{scene}}/{{codec}}/{{point}}.log",
    benchmark:
        f"{OUT}/benchmarks/decode_scene_learned/{{dataset}}/{{scene}}/{{codec}}/{{point}}.tsv"
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
