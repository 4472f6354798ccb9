# The map of the study. Reads one study file, includes one rule file a stage, names the targets.
#
#     snakemake --cores all                                      the paper's study, config.yaml
#     snakemake --cores all --configfile studies/demo.yaml       another study
#     snakemake fig_rd_aviris --cores all                        one figure (target first)
#
# Everything is made below results/<study>/; results/README.md says what is where.

import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")
sys.path.insert(0, str(Path(workflow.basedir) / "src"))


include: "rules/common.smk"
include: "rules/inputs.smk"
include: "rules/datasets.smk"
include: "rules/models.smk"
include: "rules/contexts.smk"
include: "rules/codecs.smk"
include: "rules/results.smk"
include: "rules/figures.smk"
include: "rules/report.smk"


rule all:
    default_target: True
    input:
        RD,
        figure_files(),
        table_files(),
        # The numbers are of these files: one that is missing is made again.
        lambda wildcards: coded_files(".bpk"),
        f"{OUT}/provenance.json",
        f"{OUT}/index.html",


rule figures:
    input:
        figure_files(),


rule tables:
    input:
        table_files(),


onsuccess:
    print(f"{STUDY.study}: done. Page: {OUT}/index.html    Figures: {OUT}/figures    Numbers: {RD}")


onerror:
    print(f"{STUDY.study}: stopped. The message above names the job's log; what is finished is kept.")
    print(commands_of_failures(log))
