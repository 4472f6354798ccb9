# Reads: all results of the study; results/reference/.
# Makes: index.html, the study on one page. `compare` prints whether the study agrees with the reference results.


PICTURES = {
    name: STUDY.figures.false_colour[name].bands if name in STUDY.figures.false_colour else None
    for name in STUDY.test_sets
}


rule index:
    """Make the study's page, which opens without a server."""
    input:
        script=here("scripts/make_index.py"),
        rd=RD,
        provenance=f"{OUT}/provenance.json",
        captions=sorted({here(f"scripts/captions/fig_{figure.script}.rst") for figure in FIGURES.values()}),
        figures=[f"{OUT}/figures/{name}.svg" for name in FIGURES],
        tables=[f"{OUT}/tables/{name}.md" for name in TABLES],
        pictures=lambda wildcards: [scene_folders(name)[0] for name in PICTURES],
    output:
        report(f"{OUT}/index.html", category="Page", caption="../scripts/captions/study.rst"),
    log:
        f"{OUT}/logs/index.log",
    benchmark:
        f"{OUT}/benchmarks/index.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        **SITE,
        mem_mb=memory(2000),
        runtime=30,
    params:
        run=RUN,
        card=json.dumps(study_card()),
        code=code_of("make_index"),
        figures=[f"{name}={figure.script}" for name, figure in FIGURES.items()],
        tables=list(TABLES),
        pictures=lambda wildcards, input: json.dumps(
            dict(zip(PICTURES, zip(as_list(input.pictures), PICTURES.values())))
        ),
    shell:
        "{params.run:q} analysis python {input.script:q} $(dirname {output})"
        " --card {params.card:q}"
        " --figures {params.figures:q}"
        " --tables {params.tables:q}"
        " --pictures {params.pictures:q}"
        " --output {output}"
        " > {log} 2>&1"


rule compare:
    """Compare the study with the reference results and the paper's claims."""
    input:
        script=here("scripts/compare.py"),
        rd=RD,
        tables=[f"{OUT}/tables/{name}.csv" for name in TABLES],
        claims=CLAIMS,
    log:
        f"{OUT}/logs/compare.log",
    conda:
        "../envs/analysis.yaml"
    resources:
        **SITE,
        mem_mb=memory(1000),
        runtime=30,
    params:
        run=RUN,
        reference=REFERENCE,
    shell:
        "{params.run:q} analysis python {input.script:q} $(dirname {input.rd})"
        " --reference {params.reference:q}"
        " --claims {input.claims:q}"
        " 2>&1 | tee {log}"
