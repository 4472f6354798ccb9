"""Time a codec at its point nearest to a rate on one scene, with nothing else running.

A run of less than a minute is repeated, and the second one counts, without imports, compilation and cold disk caches.
"""

import argparse
import json
import math
import tempfile
from pathlib import Path
from typing import Any

from bandpress.codecs import make_codec
from bandpress.evaluation.evaluate import there_and_back
from bandpress.files import atomic_path, remove_parts
from bandpress.formats import read_scene
from bandpress.study.scripting import only_file, stated_failures

#: Duration in seconds from which a run is not repeated.
LONG = 60.0


@stated_failures
def main(argv: list[str] | None = None) -> None:
    """Write the point's record from ``code_scene.py`` with newly measured times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scene", type=Path, required=True, help="folder with one prepared scene")
    parser.add_argument("--codec", required=True, help="name in the registry")
    parser.add_argument(
        "--records", type=Path, nargs="+", required=True, help="records of the codec's points"
    )
    parser.add_argument(
        "--options", type=json.loads, required=True, help="the codec's options by point, model included, JSON"
    )
    parser.add_argument("--rate", type=float, required=True, help="in bits per sample")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args(argv)

    remove_parts(args.output)
    records: list[dict[str, Any]] = [json.loads(path.read_text("utf-8")) for path in args.records]
    record = min(records, key=lambda row: abs(math.log(row["bps"] / args.rate)))
    options = args.options[record["point"]]
    scene = read_scene(only_file(args.scene))
    with tempfile.TemporaryDirectory(prefix="bandpress-") as folder:
        stream = Path(folder) / "scene.bpk"
        for _ in range(2):
            codec = make_codec(args.codec, **options)
            cost = there_and_back(scene, codec, stream, model=options.get("model")).cost
            if cost["encode_s"] + cost["decode_s"] > LONG:
                break
    with atomic_path(args.output) as part:
        part.write_text(json.dumps(record | cost, indent=1) + "\n")
    print(f"{args.output}: encoded in {cost['encode_s']:.2f} s, decoded in {cost['decode_s']:.2f} s")


if __name__ == "__main__":
    main()
