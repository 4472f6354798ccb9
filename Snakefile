# Entry point: reads one study file, includes one rule file per stage, names the targets.
#
#     snakemake --cores all                                      the paper's study, config.yaml
#     snakemake --cores all --configfile studies/demo.yaml       another study
#     snakemake fig_rd_aviris --cores all                        one figure (target first)
#     snakemake --cores all --config 'figures={rate: 0.3}'       change any key of the study
# Results go to results/<study>/ in the working directory; results/README.md describes them.

import inspect
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")
# The checkout, also when used as a module or with --directory.
ROOT = Path(inspect.getfile(lambda: None)).resolve().parent
sys.path.insert(0, str(ROOT / "src"))


include: "rules/common.smk"
include: "rules/sources.smk"
include: "rules/inputs.smk"
include: "rules/datasets.smk"
include: "rules/models.smk"
include: "rules/contexts.smk"
include: "rules/codecs.smk"
include: "rules/decoding.smk"
include: "rules/results.smk"
include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/report.smk"


rule all:
    default_target: True
    input:
        RD,
        figure_files(),
        table_files(),
        # The numbers come from these files, so missing ones are made again.
        lambda wildcards: coded_files(".bpk"),
        f"{OUT}/provenance.json",
        f"{OUT}/index.html",


rule figures:
    input:
        figure_files(),


rule tables:
    input:
        table_files(),


onstart:
    stop_if_missing()


onsuccess:
    made = {"Page": f"{OUT}/index.html", "Figures": f"{OUT}/figures", "Numbers": RD}
    there = [f"{name}: {path}" for name, path in made.items() if Path(path).exists()]
    print(f"{STUDY.study}: done.", "    ".join(there))


onerror:
    print(f"{STUDY.study}: stopped. The message above names the job's log; what is finished is kept.")
