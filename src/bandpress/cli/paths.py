"""Input and output files of the commands, all resolved and checked before work starts."""

import glob
from collections.abc import Iterable
from pathlib import Path

from bandpress.container.bitstream import SUFFIX
from bandpress.errors import CodecError, SceneError
from bandpress.files import refuse_to_replace
from bandpress.formats import (
    file_name,
    input_files,
    interleave_for,
    one_each,
    output_files,
    scene_name,
    scenes_in,
    split_variable,
)
from bandpress.formats.raw import Interleave
from bandpress.scene import Scene


def expanded(scenes: Iterable[Path]) -> list[Path]:
    """Replace folders by the scenes in them, and patterns the shell did not expand by their matches.

    Raises
    ------
    SceneError
        If a folder or a pattern holds none.
    """
    found: list[Path] = []
    for path in scenes:
        if path.is_dir():
            found += scenes_in(path)
        elif not path.exists() and glob.has_magic(str(path)):
            inside = sorted(Path(match) for match in glob.glob(str(path), recursive=True))
            if not inside:
                raise SceneError(f"{path}: no file matches; expected a pattern that matches scenes")
            found += [match for match in inside if match.is_file()]
        elif not split_variable(path)[0].exists():
            raise SceneError(f"{path}: no such file")
        else:
            found.append(path)
    return one_each(found)


def streams(scenes: Iterable[Path], output: Path | None, overwrite: bool) -> dict[Path, Path]:
    """Return the ``.bpk`` file of each scene.

    Parameters
    ----------
    scenes
        Files of scenes.
    output
        The file for one scene, or the folder for any number. Default: beside each scene.
    overwrite
        Replace existing files.

    Raises
    ------
    CodecError
        If two scenes would share a file, or `output` is not a valid name for the output.
    ExistsError
        If a file would be replaced.
    """
    paths = list(scenes)
    is_file = output is not None and output.suffix.lower() == SUFFIX and not output.is_dir()
    if output is not None and not is_file and not output.is_dir():
        if output.suffix or output.name == "-":
            raise CodecError(f"{output}: expected a file that ends in {SUFFIX}, or a folder")
        if output.exists():
            raise CodecError(f"{output}: a file; expected one that ends in {SUFFIX}, or a folder")
    if is_file and len(paths) > 1:
        raise CodecError(f"{output}: one file for {len(paths)} scenes; expected a folder")
    targets: dict[Path, Path] = {}
    for path in paths:
        folder = path.parent if output is None else output
        target = output if is_file and output is not None else folder / (scene_name(path) + SUFFIX)
        if target in targets:
            raise CodecError(
                f"{target}: would hold both {targets[target]} and {path}; expected another name or -o"
            )
        targets[target] = path
    refuse_to_replace(targets, overwrite, (file for path in paths for file in input_files(path)))
    return {path: target for target, path in targets.items()}


def scene_target(
    scene: Scene, source: Path, output: Path | None, overwrite: bool, several: bool = False
) -> tuple[Path, Interleave | None]:
    """Return the file to write a scene to, and its order of axes.

    Parameters
    ----------
    scene
        Any scene with the same geometry, type, name and origin.
    source
        The file that the scene comes from.
    output
        The file to write, or a folder. Default: beside `source`, in the scene's original format.
    overwrite
        Replace existing files.
    several
        Whether there are other scenes; then `output` must be a folder.

    Raises
    ------
    SceneError
        If the name cannot be written to.
    ExistsError
        If a file would be replaced.
    """
    if output is not None and output.name == "-":
        raise SceneError(f"{output}: not a file name; expected one with a suffix, or a folder")
    if output is None or output.is_dir() or not output.suffix:
        output = (source.parent if output is None else output) / file_name(scene)
    elif several:
        raise SceneError(f"{output}: one file for several scenes; expected a folder")
    interleave = interleave_for(scene, output)
    refuse_to_replace(output_files(scene, output, interleave), overwrite, [source])
    return output, interleave
