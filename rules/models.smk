# Reads: scenes/{dataset}/{scene}/ of the training and validation sets, or kept models, or fetched models.
# Makes: models/{family}/{member}/, a model folder: card, weights, integer tables.


localrules:
    fetch_models,
    keep_model,


# --config tensorflow=tensorflow-gpu chooses the environment with CUDA; not a parameter, so that models are kept.
TRAINS_IN = config.get("tensorflow", "tensorflow")
if TRAINS_IN not in ("tensorflow", "tensorflow-gpu"):
    sys.exit(f"--config tensorflow={TRAINS_IN}: not an environment; expected tensorflow or tensorflow-gpu")


rule train_model:
    """Train one network of a family; an interrupted training resumes from its last checkpoint."""
    input:
        fetched=ancient(training_records),
        train=training_scenes("train_on"),
        validate=training_scenes("validate_on"),
        init=beginning,
    output:
        directory(f"{OUT}/models/{{family}}/{{member}}"),
    log:
        f"{OUT}/logs/train_model/{{family}}/{{member}}.log",
    benchmark:
        f"{OUT}/benchmarks/train_model/{{family}}/{{member}}.tsv"
    wildcard_constraints:
        family=one_of(TRAINED),
    conda:
        f"../envs/{TRAINS_IN}.yaml"
    threads: 2
    resources:
        **STUDY.cluster.training,
        mem_mb=memory(4000, 2),
        gpu=STUDY.cluster.gpus,
        environment=TRAINS_IN,
    params:
        run=RUN,
        options=lambda wildcards: STUDY.models[wildcards.family].training_options(wildcards.member),
        validate=lambda wildcards, input: [f"--validate={folder}" for folder in input.validate],
        init=lambda wildcards, input: [f"--init-from={folder}" for folder in as_list(input.init)],
    shell:
        "BANDPRESS_THREADS={threads} {params.run:q} {resources.environment} python -m bandpress train {input.train}"
        " {params.validate}"
        " {params.init}"
        " {params.options:q}"
        " --threads {threads}"
        " --resume"
        " --output {output}"
        " > {log} 2>&1"


rule keep_model:
    """Copy a kept network, trained earlier by the study's recipe, and check every byte."""
    input:
        kept_model,
    output:
        directory(f"{OUT}/models/{{family}}/{{member}}"),
    log:
        f"{OUT}/logs/keep_model/{{family}}/{{member}}.log",
    benchmark:
        f"{OUT}/benchmarks/keep_model/{{family}}/{{member}}.tsv"
    wildcard_constraints:
        family=one_of(KEPT),
    conda:
        "../envs/analysis.yaml"
    resources:
        **SITE,
        mem_mb=memory(1000),
        runtime=10,
    params:
        run=RUN,
        content=kept_content,
    shell:
        "{params.run:q} analysis python -m bandpress models copy {input:q} {output} > {log} 2>&1"


rule fetch_models:
    """Fetch and check models, and find the members that the study names; a local rule."""
    input:
        script=here("scripts/fetch_models.py"),
        missing=lambda wildcards: note_missing(source_items(wildcards.family)),
    output:
        record=f"{OUT}/models/{{family}}.json",
    log:
        f"{OUT}/logs/fetch_models/{{family}}.log",
    benchmark:
        f"{OUT}/benchmarks/fetch_models/{{family}}.tsv"
    wildcard_constraints:
        family=one_of(FETCHED),
    conda:
        "../envs/analysis.yaml"
    resources:
        **SITE,
        mem_mb=memory(1000),
        runtime=240,
        download=DOWNLOAD,
    params:
        run=RUN,
        archive=lambda wildcards: STUDY.models[wildcards.family].archive.model_dump_json(
            exclude_defaults=True
        ),
        members=lambda wildcards: STUDY.models[wildcards.family].members,
        lock=LOCK,
    shell:
        "{params.run:q} analysis python {input.script:q}"
        " --family {wildcards.family}"
        " --archive {params.archive:q}"
        " --members {params.members:q}"
        " --lock {params.lock:q}"
        " --download {resources.download}"
        " --output {output.record}"
        " 2>&1 | tee {log}"


rule import_model:
    """Import a fetched SavedModel as a model folder by reading its variables; nothing in it is executed."""
    input:
        script=here("scripts/import_model.py"),
        record=f"{OUT}/models/{{family}}.json",
    output:
        directory(f"{OUT}/models/{{family}}/{{member}}"),
    log:
        f"{OUT}/logs/import_model/{{family}}/{{member}}.log",
    benchmark:
        f"{OUT}/benchmarks/import_model/{{family}}/{{member}}.tsv"
    wildcard_constraints:
        family=one_of(FETCHED),
    conda:
        "../envs/tensorflow.yaml"
    resources:
        **SITE,
        mem_mb=memory(4000),
        runtime=30,
    params:
        run=RUN,
        quality=lambda wildcards: wildcards.member.removeprefix("q"),
        content=member_content,
    shell:
        "{params.run:q} tensorflow python {input.script:q}"
        " --record {input.record}"
        " --quality {params.quality}"
        " --output {output}"
        " > {log} 2>&1"
