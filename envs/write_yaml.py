"""Write envs/NAME.yaml, for conda, with the versions that envs/*.txt pin. Called by ``make pins``."""

import re
import tomllib
from pathlib import Path

ENVS = Path(__file__).parent
ABOUT = {
    "analysis": "Rules without a network: data, JPEG 2000, measures, figures. `make env` has them in .venv.",
    "tensorflow": "Rules that run the network. Python 3.11: TensorFlow 2.14.1, the last that tensorflow-compression "
    "supports,\n# runs on no later one.",
    "tensorflow-gpu": "Training on a GPU (--config tensorflow=tensorflow-gpu): tensorflow.yaml with CUDA 11.8.",
    "workflow": "Snakemake itself and every tool but TensorFlow: what `make env` puts into .venv.",
}
ANALYSIS = ("metrics", "figures", "formats", "data", "demo")
NETWORK = ("tensorflow", "formats", "metrics", "pictures")
EXTRAS = {
    "analysis": ANALYSIS,
    "tensorflow": NETWORK,
    "tensorflow-gpu": (*NETWORK, "gpu"),
    "workflow": ("workflow", *ANALYSIS),
}
PINS = {
    "analysis": "workflow.txt",
    "tensorflow": "tensorflow.txt",
    "tensorflow-gpu": "tensorflow-gpu.txt",
    "workflow": "workflow.txt",
}


def normal(name: str) -> str:
    """Return the normal form of a package's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(path: Path) -> dict[str, str]:
    """Return the version of each package that a file of pins holds."""
    lines = (
        line.split()[0].split("==") for line in path.read_text().splitlines() if re.match(r"\w\S*==", line)
    )
    return {normal(name): version for name, version in lines}


def main() -> None:
    """Write the files."""
    project = tomllib.loads((ENVS.parent / "pyproject.toml").read_text())["project"]
    for name, about in ABOUT.items():
        wanted = [*project["dependencies"]]
        for extra in EXTRAS[name]:
            wanted += project["optional-dependencies"][extra]
        packages = sorted({normal(re.match(r"[\w.-]+", entry)[0]) for entry in wanted})
        versions = pinned(ENVS / PINS[name])
        lines = [
            f"# {about}",
            f"# Written by `make pins`, with the versions of {PINS[name]} and from the same index.",
            "channels: [conda-forge, nodefaults]",
            "dependencies:",
            "  - python=3.11",
            "  - pip",
            "  - pip:",
            *(f"      - {package}=={versions[package]}" for package in packages),
        ]
        (ENVS / f"{name}.yaml").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
