# Reads: scenes/{dataset}/{scene}/ of the test sets, models/{family}/{member}/.
# Makes: streams/{dataset}/{scene}/{codec}/{point}.bpk, the coded scene; beside it .json, what was measured on it,
#        and .bands.csv, the same band by band. Everything is measured on what the file on disk decodes to.


rule code_scene:
    """Code a scene without a network, decode the file, measure."""
    input:
        script="scripts/code_scene.py",
        scene=f"{OUT}/scenes/{{dataset}}/{{scene}}",
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
    resources:
        **SITE,
        mem_mb=memory(600, 14),
        runtime=STUDY.cluster.coding_minutes,
    params:
        codec=lambda wildcards: STUDY.codecs[wildcards.codec].codec,
        options=coding_options,
        about=about,
        environment="analysis",
        model="",
    shell:
        "envs/run {params.environment} python {input.script} --scene {input.scene} {params.model}"
        " --codec {params.codec} --options {params.options:q} --about {params.about:q} --stream {output.stream}"
        " --record {output.record} --bands {output.bands} > {log} 2>&1"


use rule code_scene as code_scene_learned with:
    input:
        script="scripts/code_scene.py",
        scene=f"{OUT}/scenes/{{dataset}}/{{scene}}",
        model=lambda wildcards: model_of(wildcards.codec, wildcards.point),
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
        model=lambda wildcards, input: f"--model {input.model}",


rule decode_scene:
    """Decode a file for those figures that show samples."""
    input:
        stream=f"{OUT}/streams/{{dataset}}/{{scene}}/{{codec}}/{{point}}.bpk",
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
    resources:
        **SITE,
        mem_mb=memory(600, 14),
        runtime=STUDY.cluster.coding_minutes,
    params:
        environment="analysis",
        model="",
    shell:
        "mkdir -p {output} && envs/run {params.environment} python -m bandpress decompress {input.stream}"
        " {params.model} --output {output} --overwrite > {log} 2>&1"


use rule decode_scene as decode_scene_learned with:
    input:
        stream=f"{OUT}/streams/{{dataset}}/{{scene}}/{{codec}}/{{point}}.bpk",
        model=lambda wildcards: model_of(wildcards.codec, wildcards.point),
    log:
        f"{OUT}/logs/decode_scene_learned/{{dataset}}/{{scene}}/{{codec}}/{{point}}.log",
    benchmark:
        f"{OUT}/benchmarks/decode_scene_learned/{{dataset}}/{{scene}}/{{codec}}/{{point}}.tsv"
    wildcard_constraints:
        codec=one_of(LEARNED),
    conda:
        "../envs/tensorflow.yaml"
    resources:
        **SITE,
        mem_mb=memory(3000, 14),
        runtime=STUDY.cluster.coding_minutes,
    params:
        environment="tensorflow",
        model=lambda wildcards, input: f"--model {input.model}",
