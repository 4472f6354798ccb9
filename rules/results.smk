# Reads: streams/{dataset}/{scene}/{codec}/{point}.json, models/{family}/q{quality}/model.json.
# Makes: rd.csv, one row a (scene, codec, point); tables/{name}.csv, .md and .tex.

TABLES = ["rates", "bd"]


def table_files():
    """Return every table of the study, one file each."""
    return [f"{OUT}/tables/{name}.csv" for name in TABLES]


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
        mem_mb=1000,
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


rule table_rates:
    """Rate, distortion and spectral angle of every codec at every point."""
    input:
        script="scripts/table_rates.py",
        rd=RD,
    output:
        multiext(f"{OUT}/tables/rates", ".csv", ".md", ".tex"),
    log:
        f"{OUT}/logs/table_rates.log",
    benchmark:
        f"{OUT}/benchmarks/table_rates.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        **SITE,
        mem_mb=1000,
        runtime=30,
    shell:
        "envs/run analysis python {input.script} {input.rd} --output {output[0]} > {log} 2>&1"


rule table_bd:
    """Bjøntegaard differences of every codec against the study's reference."""
    input:
        script="scripts/table_bd.py",
        rd=RD,
    output:
        multiext(f"{OUT}/tables/bd", ".csv", ".md", ".tex"),
    log:
        f"{OUT}/logs/table_bd.log",
    benchmark:
        f"{OUT}/benchmarks/table_bd.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        **SITE,
        mem_mb=1000,
        runtime=30,
    params:
        reference=STUDY.figures.reference,
    shell:
        "envs/run analysis python {input.script} {input.rd} --reference {params.reference}"
        " --output {output[0]} > {log} 2>&1"
