"""Models of a study: trained or fetched networks, and context models."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bandpress.datasets import Source

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)]

PositiveInt = Annotated[int, Field(gt=0)]


#: Configuration of all schema classes: reject unknown keys; immutable.
STRICT = ConfigDict(extra="forbid", frozen=True)


class _Section(BaseModel):
    model_config = STRICT


class TrainedFamily(_Section):
    """Models that the workflow trains.

    `kind` is ``separate``, one network per lambda as in the paper, or ``gains``, one network for all lambdas and any
    rate between. Quality q is the q-th lambda, counted from 1; a network with gains also has fractional qualities.

    `init_from` is a family of the same widths; each network starts from its member.
    `kept` is a folder, relative to the checkout, with networks already made by this recipe, which are used unless the
    study runs with ``--config retrain=true``. `inputs` are the network's inputs: ``samples``, or, for `klt-learned`,
    ``components`` of the KLT over all bands; then the lambdas are operating points of the scenes, and `levels` is the
    number of qualities.
    """

    source: Literal["train"]
    kind: Literal["separate", "gains"] = "separate"
    kept: Annotated[str, Field(min_length=1)] | None = None
    inputs: Literal["samples", "components"] = "samples"
    levels: Annotated[int, Field(ge=2, le=16)] = 6
    sensor: Name
    bands_per_cluster: PositiveInt
    train_on: Annotated[list[str], Field(min_length=1)]
    validate_on: list[str] = []
    init_from: str | None = None
    filters: tuple[PositiveInt | tuple[PositiveInt, PositiveInt, PositiveInt], PositiveInt] = (64, 192)
    hyper: PositiveInt | None = None
    borders: Literal["zero", "mirror"] = "zero"
    lambdas: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)]
    start: Literal["block", "overlap", "random"] = "block"
    steps: PositiveInt = 100_000
    patch: PositiveInt = 256
    batch: PositiveInt = 8
    learning_rate: Annotated[float, Field(gt=0)] = 1e-4
    coding_rate: Annotated[float, Field(gt=0)] = 10.0
    coding_first: Annotated[float, Field(ge=0, lt=1)] = 0.0
    averaging: Annotated[int, Field(ge=0)] = 100
    sharpen: Annotated[float, Field(ge=0)] = 0.0
    spread: Annotated[float, Field(ge=0, le=1)] = 0.0
    precision: Literal["float32", "mixed"] = "float32"
    seed: Annotated[int, Field(ge=0)] = 1

    @model_validator(mode="after")
    def _one_network(self) -> "TrainedFamily":
        if self.inputs != "samples" and self.kind != "gains":
            raise ValueError(f"a family for {self.inputs} with separate networks; expected kind gains")
        return self

    @property
    def qualities(self) -> int:
        """Number of models, or of qualities of a single network."""
        return len(self.lambdas) if self.inputs == "samples" else self.levels

    @property
    def names(self) -> list[str]:
        """Names of the models."""
        return list(dict.fromkeys(self.member(quality + 1) for quality in range(self.qualities)))

    def member(self, quality: float) -> str:
        """Return the name of the model that codes at a quality."""
        return "gains" if self.kind == "gains" else f"q{quality:g}"

    def kept_member(self, member: str) -> Path | None:
        """Return the folder of a kept network, relative to the checkout."""
        if self.kept is None:
            return None
        return Path(self.kept) / member if self.kind == "separate" else Path(self.kept)

    def training_options(self, member: str) -> list[str]:
        """Return the options of ``bandpress train`` for one model of the family."""
        lambdas = self.lambdas if self.kind == "gains" else [self.lambdas[int(member[1:]) - 1]]
        hidden, latent = self.filters
        widths = ",".join(map(str, hidden)) if isinstance(hidden, tuple) else hidden
        options: dict[str, list[object]] = {
            "--bands-per-cluster": [self.bands_per_cluster],
            "--filters": [widths, latent],
            "--hyper": [self.hyper or latent],
            "--borders": [self.borders],
            "--steps": [self.steps],
            "--patch": [self.patch],
            "--batch": [self.batch],
            "--learning-rate": [self.learning_rate],
            "--coding-rate": [self.coding_rate],
            "--coding-first": [self.coding_first],
            "--averaging": [self.averaging],
            "--sharpen": [self.sharpen],
            "--spread": [self.spread],
            "--seed": [self.seed],
            "--sensor": [self.sensor],
        }
        words = [str(word) for key, values in options.items() for word in (key, *values)]
        words += [f"--lambda={value:g}" for value in lambdas]
        if self.inputs == "components":
            words += ["--klt", "--qualities", str(self.levels)]
        if self.precision != "float32":
            words += ["--precision", self.precision]
        return words + (["--random-start"] if self.start == "random" else ["--start", self.start])


class FetchedFamily(_Section):
    """Fetched models: SavedModel folders of the authors' script, one per quality, to be imported."""

    source: Literal["fetch"]
    sensor: Name
    bands_per_cluster: PositiveInt
    archive: Source
    members: Annotated[list[Name], Field(min_length=1)]

    @property
    def qualities(self) -> int:
        """Number of models."""
        return len(self.members)

    @property
    def names(self) -> list[str]:
        """Names of the models."""
        return [self.member(quality + 1) for quality in range(self.qualities)]

    def member(self, quality: float) -> str:
        """Return the name of the model that codes at a quality."""
        return f"q{quality:g}"


class ContextFamily(_Section):
    """A context model that the workflow trains, for `wavelet-learned` and `predicted-learned`.

    One model codes clusters of every size at every rate. Without a `sensor` it serves test sets of all sensors.
    For `kept` see `TrainedFamily`.
    """

    source: Literal["contexts"]
    kept: Annotated[str, Field(min_length=1)] | None = None
    sensor: Name | None = None
    train_on: Annotated[list[str], Field(min_length=1)]
    validate_on: list[str] = []
    steps: PositiveInt = 2000
    hidden: PositiveInt = 40
    seed: Annotated[int, Field(ge=0)] = 1

    @property
    def qualities(self) -> int:
        """Context models have no numbered qualities."""
        return 0

    @property
    def names(self) -> list[str]:
        """Name of the model."""
        return ["contexts"]

    def member(self, quality: float) -> str:
        """Return the name of the model."""
        return self.names[0]

    def kept_member(self, member: str) -> Path | None:
        """Return the folder of the kept model, relative to the checkout."""
        return None if self.kept is None else Path(self.kept)

    def training_options(self, member: str) -> list[str]:
        """Return the options of ``bandpress train-contexts``."""
        words = ["--steps", str(self.steps), "--hidden", str(self.hidden), "--seed", str(self.seed)]
        return words if self.sensor is None else [*words, "--sensor", self.sensor]


Family = Annotated[TrainedFamily | FetchedFamily | ContextFamily, Field(discriminator="source")]
