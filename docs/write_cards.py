"""Write docs/cards.md, a card for each model kept in models/, from the models' own cards.

Called by ``make docs``. Commands come from the study file that keeps the model.
"""

import csv
import json
import shlex
from pathlib import Path

from bandpress.study.families import ContextFamily, TrainedFamily
from bandpress.study.file import load_study

ROOT = Path(__file__).parents[1]
TARGET = Path(__file__).parent / "cards.md"
STUDY = ROOT / "studies/open.yaml"
MACHINE = "one core of an AMD EPYC (Zen 4, AVX-512, no AMX), TensorFlow 2.14.1, on a busy machine"
GPU = "one NVIDIA H200 (PyTorch 2.11), which they shared"
INPUTS = {
    "samples": "bands",
    "components": "components of a KLT over all bands",
}
INTRODUCTION = f"""# The networks in models/

A card for each model, with the command that trained it. Written by `make docs` from `models/*/model.json`; do not edit.
Weights are stored in float16. Networks of `pretrain_torch.py` were trained on
{GPU}, the others on
{MACHINE}.
Minutes count training time only. "Started from" gives the digest of a model that this repository kept before.

The scenes are those of `studies/open.yaml`. No test scene was used in training, except for Hyperion, where both are
parts of one scene. Validation numbers are estimates with rounded latents on patches of the validation scene, which also
chose the weights; results of files on test scenes are in [results/reference/open](../results/reference/open).
"""


def card(name: str, family: TrainedFamily, folder: Path) -> str:
    """Return the card of one network."""
    found = json.loads((folder / "model.json").read_text())
    made, widths = found["training"], found["architecture"]
    minutes = _minutes(folder)
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    hidden = widths["hidden"]
    filters = ",".join(map(str, hidden)) if isinstance(hidden, list) else hidden
    scenes = ", ".join(scene["scene"] for scene in made["training_set"])
    validated = ", ".join(scene["scene"] for scene in made["validation_set"])
    if "script" in made["settings"]:
        script, rate = (made["settings"][key] for key in ("script", "learning_rate"))
        command = f"python scripts/{script} studies/open.yaml SCENES OUT {name}={rate:g} --seconds {60 * minutes:.0f}"
    else:
        words = ["bandpress", "train", "SCENES", "--validate", validated, *family.training_options("gains")]
        command = shlex.join(words) + (f" --init-from {family.init_from}" if family.init_from else "")
    rows = [
        f"| {point['lambda']:.3g} | {point['lambda'] / widths['bands_per_cluster']:.3g} "
        f"| {point['bps']:.4f} | {point['psnr']:.2f} |"
        for point in made["validation"]
    ]
    unit = "DN" if family.inputs == "samples" else "units of a 64th of the quantiser step"
    return "\n".join(
        [
            f"## {name}",
            "",
            f"- Sensor {made['sensor']}, clusters of k = {widths['bands_per_cluster']} {INPUTS[family.inputs]}",
            f"- {filters}/{widths['latent']} channels, hyper networks {widths['hyper']}, "
            f"{widths['qualities']} qualities, borders: {widths['borders']}; {size:.1f} MB",
            f"- Trained on {scenes}; validated on {validated}",
            f"- {made['steps']} steps in {minutes:.0f} min, seed {made['settings']['seed']}",
            *([f"- Started from {made['init_from'][:12]}"] if "init_from" in made else []),
            f"- Reference range of lambda: {made['reference_range']:.0f} {unit}",
            "",
            "```",
            command,
            "```",
            "",
            f"Validation (MSE and lambda in {unit} squared, peak 65,535):",
            "",
            "| lambda, bits per pixel | lambda, bits per sample | bps | PSNR, dB |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def context_card(name: str, family: ContextFamily, folder: Path) -> str:
    """Return the card of a context model."""
    made = json.loads((folder / "model.json").read_text())["training"]
    minutes = _minutes(folder)
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1e3
    trained, validated = (
        ", ".join(scene["scene"] for scene in made[key]) for key in ("training_set", "validation_set")
    )
    words = ["bandpress", "train-contexts", "SCENES", "--validate", validated]
    return "\n".join(
        [
            f"## {name}",
            "",
            f"- Context model of wavelet coefficients: {made.get('sensor', 'every sensor')}, every k",
            f"- Two hidden layers of {made['settings']['hidden']}, {made['settings']['tables']} tables; {size:.0f} kB",
            f"- Trained on {trained}; validated on {validated}",
            f"- {made['steps']} steps in {minutes:.0f} min, seed {made['settings']['seed']}",
            f"- Validation: {made['validation']['bits']:.4f} bits per coefficient, on clusters drawn as in training",
            "",
            "```",
            shlex.join([*words, *family.training_options(family.names[0])]),
            "```",
            "",
        ]
    )


def _minutes(folder: Path) -> float:
    """Return the minutes of a training, from its log."""
    with open(f"{folder}.training/log.csv", newline="") as file:
        return float(list(csv.DictReader(file))[-1]["seconds"]) / 60


def text() -> str:
    """Return the whole page."""
    parts = [INTRODUCTION]
    for name, family in load_study(STUDY).models.items():
        if family.source == "fetch" or not family.kept or not (ROOT / family.kept).is_dir():
            continue
        written = context_card if isinstance(family, ContextFamily) else card
        parts.append(written(name, family, ROOT / family.kept))
    return "\n".join(parts)


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
