# Reads: scenes/{dataset}/{scene}/ of the training and validation sets.
# Makes: models/{family}/contexts/, a context model: card, integer tables.


rule train_contexts:
    """Train a context model; takes minutes, and restarts after an interruption."""
    input:
        fetched=ancient(training_records),
        train=training_scenes("train_on"),
        validate=training_scenes("validate_on"),
    output:
        directory(f"{OUT}/models/{{family}}/contexts"),
    log:
        f"{OUT}/logs/train_contexts/{{family}}.log",
    benchmark:
        f"{OUT}/benchmarks/train_contexts/{{family}}.tsv"
    wildcard_constraints:
        family=one_of(name for name in CONTEXTS if name not in KEPT),
    conda:
        "../envs/tensorflow.yaml"
    threads: 2
    resources:
        **SITE,
        mem_mb=memory(3000, 2),
        runtime=STUDY.cluster.training_minutes,
    params:
        run=RUN,
        options=lambda wildcards: STUDY.models[wildcards.family].training_options("contexts"),
        validate=lambda wildcards, input: [f"--validate={folder}" for folder in input.validate],
    shell:
        "BANDPRESS_THREADS={threads} {params.run:q} tensorflow python -m bandpress train-contexts {input.train}"
        " {params.validate}"
        " {params.options:q}"
        " --threads {threads}"
        " --output {output}"
        " > {log} 2>&1"
