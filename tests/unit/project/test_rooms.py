"""The rooms of the package stand on floors, and imports point downwards only."""

import ast

from places import ROOT

PACKAGE = ROOT / "src/bandpress"
#: Every module and folder of the package, from the ground up. A new one is put where what it imports is below it.
ROOMS = (
    "errors",
    "stages",
    "psnr",
    "machine",
    "pipeline",
    "compiled",
    "environment",
    "optional",
    "nodata",
    "clusters",
    "files",
    "interrupts",
    "scaling",
    "metadata",
    "scene",
    "facts",
    "container",
    "prepared",
    "formats",
    "pictures",
    "datasets",
    "model_folders",
    "transforms",
    "jpeg2000",
    "bounded",
    "ccsds123",
    "training",
    "contexts",
    "hyperprior",
    "kernels",
    "codecs",
    "coding",
    "xarray_backend",
    "evaluation",
    "api",
    "__init__",
    "study",
    "cli",
    "__main__",
)


def room_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path):
    """Rooms that a file imports, wherever it does; what only checks types does not run, and does not count."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in [node for node in ast.walk(tree) if isinstance(node, ast.If)]:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "bandpress":
            names = [f"bandpress.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        for name in names:
            package, _, rest = name.partition(".")
            room = rest.split(".")[0]
            if package == "bandpress":
                yield room if room in ROOMS else "__init__"


def test_every_room_has_its_floor():
    found = {room_of(path) for path in PACKAGE.rglob("*.py")}
    assert found == set(ROOMS)
    assert len(set(ROOMS)) == len(ROOMS)


def test_imports_point_downwards():
    upwards = {
        f"{path.relative_to(ROOT)} imports {room}"
        for path in PACKAGE.rglob("*.py")
        for room in imported(path)
        if ROOMS.index(room) > ROOMS.index(room_of(path))
    }
    assert not upwards
