"""Code a scene with one codec at one operating point, decode the file from disk, and measure both."""

import argparse
import json
from pathlib import Path

from bandpress.codecs import make_codec
from bandpress.container.bitstream import Reader
from bandpress.evaluation.evaluate import evaluate
from bandpress.evaluation.metrics import write_bands
from bandpress.files import atomic_path, remove_parts
from bandpress.formats import read_scene
from bandpress.study.scripting import only_file, stated_failures


@stated_failures
def main(argv: list[str] | None = None) -> None:
    """Write the ``.bpk`` file, one flat JSON record and one CSV line per band."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scene", type=Path, required=True, help="folder with one prepared scene")
    parser.add_argument("--codec", required=True, help="name in the registry")
    parser.add_argument("--options", type=json.loads, default={}, help="the codec's options, JSON")
    parser.add_argument("--model", type=Path, help="folder of the model")
    parser.add_argument(
        "--about", type=json.loads, default={}, help="columns to put before the measures, JSON"
    )
    parser.add_argument("--stream", type=Path, required=True)
    parser.add_argument("--record", type=Path, required=True)
    parser.add_argument("--bands", type=Path, required=True)
    args = parser.parse_args(argv)

    for path in (args.stream, args.record, args.bands):
        remove_parts(path)

    scene = read_scene(only_file(args.scene))
    options = args.options | ({"model": args.model} if args.model else {})
    codec = make_codec(args.codec, **options)
    measures, _ = evaluate(scene, codec, args.stream, model=args.model)
    mse_per_band = measures.pop("mse_per_band")
    with Reader(args.stream) as reader:
        header = reader.header
    record = {
        **args.about,
        "bands_per_cluster": header.bands_per_cluster,
        "model": header.model or "",
        "file": args.stream.as_posix(),
        **measures,
    }
    write_bands(args.bands, mse_per_band, scene.wavelengths)
    with atomic_path(args.record) as part:
        part.write_text(json.dumps(record, indent=1) + "\n")
    print(f"{args.stream}: {record['bps']:.4f} bps, {record['psnr']:.2f} dB")


if __name__ == "__main__":
    main()
