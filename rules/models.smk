# Reads: scenes/{dataset}/{scene}/ of the training and validation sets, or models that are kept, or that somebody else
#        trained.
# Makes: models/{family}/{member}/, a model folder each: card, weights, integer tables.


RETRAIN = str(config.get("retrain", False)).lower() in ("true", "yes", "1")
NETWORKS = [name for name, family in STUDY.models.items() if family.source == "train"]
CONTEXTS = [name for name, family in STUDY.models.items() if family.source == "contexts"]
KEPT = [] if RETRAIN else [name for name in NETWORKS + CONTEXTS if STUDY.models[name].kept]
TRAINED = [name for name in NETWORKS if name not in KEPT]
# Families that codecs use and, where these are trained here, those that they go on from.
USED = {codec.model for codec in STUDY.codecs.values() if codec.model}
for _ in STUDY.models:
    USED |= {STUDY.models[name].init_from for name in TRAINED if name in USED} - {None}
USED = [name for name in STUDY.models if name in USED]
FETCHED = [name for name, family in STUDY.models.items() if family.source == "fetch"]


# A profile or --config tensorflow=tensorflow-gpu chooses the environment with CUDA. Not a parameter of the rule: a model
# that was trained without it stays.
TRAINS_IN = config.get("tensorflow", "tensorflow")
if TRAINS_IN not in ("tensorflow", "tensorflow-gpu"):
    sys.exit(f"--config tensorflow={TRAINS_IN}: not an environment; expected tensorflow or tensorflow-gpu")


rule train_model:
    """Train one network of a family; an interrupted training goes on from its last checkpoint."""
    input:
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
        options=lambda wildcards: STUDY.models[wildcards.family].training_options(wildcards.member),
        validate=lambda wildcards, input: [f"--validate={folder}" for folder in input.validate],
        init=lambda wildcards, input: [f"--init-from={folder}" for folder in as_list(input.init)],
    shell:
        "envs/run {resources.environment} python -m bandpress train {input.train} {params.validate} {params.init}"
        " {params.options:q}"
        " --threads {threads} --resume --output {output} > {log} 2>&1"


rule keep_model:
    """Take a network that was trained before by the study's own recipe; every byte of it is checked."""
    input:
        lambda wildcards: str(STUDY.models[wildcards.family].kept_member(wildcards.member)),
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
    shell:
        "envs/run analysis python -m bandpress models copy {input:q} {output} > {log} 2>&1"


rule fetch_models:
    """Fetch an archive of models, check it, and find the members that the study names."""
    input:
        script="scripts/fetch_models.py",
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
        archive=lambda wildcards: STUDY.models[wildcards.family].archive.model_dump_json(
            exclude_defaults=True
        ),
        members=lambda wildcards: STUDY.models[wildcards.family].members,
        lock=study_file().with_suffix(".lock.json"),
    shell:
        "envs/run analysis python {input.script} --family {wildcards.family} --archive {params.archive:q}"
        " --members {params.members:q} --lock {params.lock:q} --download {resources.download}"
        " --output {output.record} 2>&1 | tee {log}"


rule import_model:
    """Turn a fetched SavedModel into a model folder by reading its variables; nothing in it is executed."""
    input:
        script="scripts/import_model.py",
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
        quality=lambda wildcards: wildcards.member.removeprefix("q"),
    shell:
        "envs/run tensorflow python {input.script} --record {input.record} --quality {params.quality}"
        " --output {output} > {log} 2>&1"
