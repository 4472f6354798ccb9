# Reads: rd.csv, speed.csv, scenes/, models/{family}/{member}/model.json; results/reference/{study}/, if it exists,
#        and the claims of the paper.
# Makes: tables/{name}.csv, .md and .tex. Each is a target of its own, table_{name}.


SCENES = f"{OUT}/tables/datasets.csv"
CLAIMS = here("results/reference/claims.yaml")
REFERENCE = here(f"results/reference/{STUDY.study}")


def cards():
    """Return the study's entries of its test sets, by name."""
    return {
        name: STUDY.datasets[name].model_dump(include={"role", "sensor", "licence", "citation"})
        for name in STUDY.test_sets
    }


def reference_files():
    """Return the reference files that a comparison reads."""
    return sorted(str(path) for path in Path(REFERENCE).rglob("*") if path.suffix in (".csv", ".yaml"))


def table_files():
    """Return the file of every table of the study."""
    return [f"{OUT}/tables/{name}.csv" for name in TABLES]


class Target(NamedTuple):
    """A figure or table: its script, its input files in order, other files it reads, its options."""

    script: str
    reads: object
    needs: object = []
    options: object = []


# Whether any point bounds its error.
BOUNDED = any(entry.lossless or entry.max_errors for entry in STUDY.codecs.values())
TABLES = {
    "headline": Target("headline", [RD]),
    "bd": Target("bd", [RD], options=["--reference", STUDY.figures.reference]),
    "rates": Target("rates", [RD]),
    "claims": Target("claims", [RD], [SCENES, CLAIMS], [f"--scenes={SCENES}", f"--claims={CLAIMS}"]),
    "speed": Target("speed", [SPEED]),
    "datasets": Target("datasets", all_scenes, options=[f"--cards={json.dumps(cards())}"]),
}
if BOUNDED:
    TABLES["bounds"] = Target("bounds", [RD])
if USED:
    TABLES["models"] = Target("models", model_folders())
if Path(REFERENCE, "rd.csv").is_file():
    COMPARED = [f"{OUT}/tables/{name}.csv" for name in ("bd", "datasets", "models") if name in TABLES]
    TABLES["comparison"] = Target(
        "comparison",
        [],
        [RD, CLAIMS, *reference_files(), *COMPARED],
        [OUT, f"--reference={REFERENCE}", f"--claims={CLAIMS}"],
    )


for name, table in TABLES.items():

    rule:
        name:
            f"table_{name}"
        input:
            script=here(f"scripts/table_{table.script}.py"),
            caption=here(f"scripts/captions/table_{table.script}.rst"),
            reads=table.reads,
            needs=table.needs,
        output:
            multiext(f"{OUT}/tables/{name}", ".md", ".tex"),
            csv=report(
                f"{OUT}/tables/{name}.csv",
                caption=f"../scripts/captions/table_{table.script}.rst",
                category="Tables",
                labels={"table": name},
            ),
        log:
            f"{OUT}/logs/tables/{name}.log",
        benchmark:
            f"{OUT}/benchmarks/tables/{name}.tsv"
        group:
            "tables"
        conda:
            "../envs/analysis.yaml"
        resources:
            **SITE,
            mem_mb=memory(1000),
            runtime=30,
        params:
            run=RUN,
            options=table.options,
            code=code_of(f"table_{table.script}"),
        shell:
            "{params.run:q} analysis python {input.script:q} {input.reads:q}"
            " {params.options:q}"
            " --output {output.csv}"
            " > {log} 2>&1"


del name, table
