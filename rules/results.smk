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
        records=lambda wildcards: coded_files(".json"),
    output:
        RD,
    log:
        f"{OUT}/logs/collect_rd.log",
    benchmark:
        f"{OUT}/benchmarks/collect_rd.tsv"
    conda:
        "../envs/analysis.yaml"
    shell:
        "envs/run analysis python {input.script} {input.records} --output {output} > {log} 2>&1"


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
    params:
        reference=STUDY.figures.reference,
    shell:
        "envs/run analysis python {input.script} {input.rd} --reference {params.reference}"
        " --output {output[0]} > {log} 2>&1"
