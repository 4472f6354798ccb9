"""Make model folders, with coding tables, from the weights that `pretrain_torch.py` trained. Needs TensorFlow.

Example:
  envs/run tensorflow python scripts/finish_pretrained.py OUT/AVIRIS-k1.safetensors urban-5.raw -o models/AVIRIS-k1
"""

import argparse
import csv
import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

try:
    import tensorflow as tf
except ImportError:
    sys.exit("finish_pretrained: this Python has no TensorFlow; expected envs/run tensorflow python …")

from bandpress.formats import read_scene
from bandpress.hyperprior.architecture import Architecture
from bandpress.hyperprior.training.finalise import finalise
from bandpress.hyperprior.training.patches import Patches
from bandpress.training.checkpoints import COLUMNS

_CALIBRATION, _SIDE = 16, 96  # patches that set the ranges of the integer layers


def main(argv: list[str] | None = None) -> None:
    """Write the model folder, and ``MODEL.training`` with settings and log."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights", type=Path, help="file of trained weights, beside its .json")
    parser.add_argument(
        "scenes", type=Path, nargs="+", help="validation scenes: they calibrate the integer layers"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="model folder to make")
    args = parser.parse_args(argv)
    weights = {key: value.astype(np.float32) for key, value in load_file(args.weights).items()}
    card = json.loads(args.weights.with_suffix(".json").read_text(encoding="utf-8"))
    log, widths = card.pop("log"), card.pop("architecture")
    architecture = Architecture.from_json(widths)
    scenes = [read_scene(path) for path in args.scenes]
    side = min(_SIDE, *(size // 16 * 16 for scene in scenes for size in (scene.lines, scene.samples)))
    calibration = Patches(scenes, architecture.bands_per_cluster, side, 1, 0).fixed(_CALIBRATION).x
    card["versions"] = {"numpy": np.__version__, "tensorflow": tf.__version__}
    finalise(args.output, weights, architecture, card, calibration, half=True)
    kept = Path(f"{args.output}.training")
    kept.mkdir(exist_ok=True)
    asked = {key: value for key, value in card.items() if key not in ("steps", "validation")}
    (kept / "settings.json").write_text(
        json.dumps(asked | {"architecture": widths}, indent=2) + "\n", encoding="utf-8"
    )
    with open(kept / "log.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows({key: f"{value:.6g}" for key, value in row.items()} for row in log)


if __name__ == "__main__":
    main()
