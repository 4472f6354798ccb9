"""Schema of a study: data sets, models, codecs, operating points, figures.

A study file is YAML; `bandpress.study.file.load_study` reads it.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, model_validator

from bandpress.codecs import REGISTRY, checked_option, codec_class, make_codec, options_of
from bandpress.datasets import Dataset, refuse_overlaps
from bandpress.errors import CodecError, DataError
from bandpress.study.families import STRICT, ContextFamily, Family, Name, PositiveInt, TrainedFamily

Rate = Annotated[float, Field(gt=0, le=64)]


class _Section(BaseModel):
    model_config = STRICT


#: Keys of a codec's entry that set one of its options.
_OPTION_OF = {
    "bands_per_cluster": "bands_per_cluster",
    "allocation": "allocation",
    "rates": "rate",
    "qualities": "quality",
    "lossless": "lossless",
    "max_errors": "max_error",
}


class CodecEntry(_Section):
    """A codec with its options and operating points; each point gives one file per scene."""

    codec: Literal[tuple(REGISTRY)]  # type: ignore[valid-type]
    label: str | None = None
    model: str | None = None
    bands_per_cluster: PositiveInt | Literal["all"] | None = None
    allocation: Literal["equal", "shared"] | None = None
    options: dict[Name, bool | int | float | str] = {}
    rates: list[Rate] = []
    qualities: list[Annotated[float, Field(ge=1)]] = []
    lossless: bool = False
    max_errors: list[Annotated[int, Field(ge=0, lt=1 << 16)]] = []
    datasets: list[str] | None = None

    @model_validator(mode="after")
    def _has_points(self) -> "CodecEntry":
        if not (self.rates or self.qualities or self.lossless or self.max_errors):
            raise ValueError("no operating point is given; expected rates, qualities, lossless or max_errors")
        if self.qualities and self.model is None:
            raise ValueError("qualities are given without the model family that they number")
        kind = codec_class(self.codec).model_kind
        if kind is None and self.model is not None:
            raise ValueError(f"codec {self.codec} has no model; expected none")
        if kind == "network" and self.model is None:
            raise ValueError(
                f"codec {self.codec} needs the model family of a network; expected one of models"
            )
        self._check_options()
        return self

    def _check_options(self) -> None:
        """Reject options that the codec would reject when it runs."""
        known = [option for option in options_of(self.codec) if option not in ("model", *_OPTION_OF.values())]
        for key, option in _OPTION_OF.items():
            if getattr(self, key) and option not in options_of(self.codec):
                raise Misplaced((key,), f"codec {self.codec} has no option {option!r}")
        for option, value in self.options.items():
            if option not in known:
                expected = f"expected one of {', '.join(known)}" if known else "it has none"
                raise Misplaced(("options", option), f"codec {self.codec} has no such option; {expected}")
            try:
                checked_option(self.codec, option, value)
            except CodecError as error:
                raise Misplaced(("options", option), str(error)) from None
        for options in self.points.values():
            try:
                make_codec(self.codec, **options, **({} if self.model is None else {"model": self.model}))
            except CodecError as error:
                raise ValueError(str(error)) from None

    @property
    def protocol(self) -> str:
        """Rate allocation over clusters: ``equal``, or ``shared`` to minimise distortion."""
        codec = codec_class(self.codec)
        default = getattr(codec, "allocation", "shared" if codec.shares_rate else "equal")
        return self.allocation or str(default)

    @property
    def points(self) -> dict[str, dict[str, Any]]:
        """The codec's options at each operating point, by the point's name."""
        common: dict[str, Any] = dict(self.options)
        for key in ("bands_per_cluster", "allocation"):
            if getattr(self, key) is not None:
                common[key] = getattr(self, key)
        points: dict[str, dict[str, Any]] = {}
        points |= {f"r{rate:g}": {**common, "rate": rate} for rate in self.rates}
        points |= {f"q{quality:g}": {**common, "quality": quality} for quality in self.qualities}
        if self.lossless:
            points["lossless"] = {**common, "lossless": True}
        points |= {f"e{error}": {**common, "max_error": error} for error in self.max_errors}
        return points


class FalseColour(_Section):
    """Pictures of a test set: its first scene, bands for red, green and blue, and codecs' points to show.

    Bands are counted from 1. Choose points of about equal rate; the figure states the rate of each.
    """

    bands: tuple[PositiveInt, PositiveInt, PositiveInt]
    points: Annotated[dict[str, str], Field(min_length=1)]


class Figures(_Section):
    """Settings of the figures and tables.

    `reference` is the reference codec of all comparisons, by default the first; `rate`, in bits per sample, is the rate
    at which codecs are compared band by band, each at its nearest point.
    """

    reference: str
    rate: Rate = 0.5
    false_colour: dict[str, FalseColour] = {}


class Cluster(_Section):
    """Settings of a computing cluster (``profiles/slurm``), on which results do not depend.

    Parameters
    ----------
    partition, account
        Slurm partition and account; default: those of the cluster.
    gpu_partition
        Partition of trainings on a GPU; default: `partition`.
    gpus
        GPUs of a training; 0 trains on processors.
    training_minutes, coding_minutes
        Time limits of a training and of coding one scene at one point. A training that reaches its limit continues from
        its last checkpoint when started again.
    """

    partition: Name | None = None
    gpu_partition: Name | None = None
    account: Name | None = None
    gpus: Literal[0, 1] = 0
    training_minutes: PositiveInt = 720
    coding_minutes: PositiveInt = 30

    @property
    def resources(self) -> dict[str, str]:
        """Snakemake's resources of every job."""
        given = {"slurm_partition": self.partition, "slurm_account": self.account}
        return {key: value for key, value in given.items() if value is not None}

    @property
    def training(self) -> dict[str, str | int]:
        """Snakemake's resources of a training."""
        where = {"slurm_partition": self.gpu_partition} if self.gpus and self.gpu_partition else {}
        return {**self.resources, **where, "runtime": self.training_minutes}


class Study(_Section):
    """A complete study. See ``config.yaml`` for the paper's and ``studies/`` for others."""

    study: Name
    title: str
    datasets: Annotated[dict[Name, Dataset], Field(min_length=1)]
    models: dict[Name, Family] = {}
    codecs: Annotated[dict[Name, CodecEntry], Field(min_length=1)]
    figures: Figures
    cluster: Cluster = Cluster()

    @model_validator(mode="before")
    @classmethod
    def _reference_is_the_first(cls, given: Any) -> Any:
        codecs, figures = (given.get(key) or {} for key in ("codecs", "figures"))
        if not (isinstance(codecs, dict) and codecs and isinstance(figures, dict)):
            return given
        return {**given, "figures": {"reference": next(iter(codecs)), **figures}}

    def _beginnings(self, key: str) -> set[str]:
        """Return the chain of families that a family starts from, first to last."""
        found: set[str] = set()
        family = self.models.get(key)
        while isinstance(family, TrainedFamily) and family.init_from not in (None, *found):
            found.add(str(family.init_from))
            family = self.models.get(str(family.init_from))
        return found

    @model_validator(mode="after")
    def _names_refer_to_something(self) -> "Study":
        try:
            refuse_overlaps(self.datasets)
        except DataError as error:
            raise Misplaced(("datasets",), str(error)) from None
        for key, family in self.models.items():
            if isinstance(family, TrainedFamily | ContextFamily):
                for use in ("train_on", "validate_on"):
                    for name in getattr(family, use):
                        _must_be_in(name, self.datasets, "data set", ("models", key, use))
            if isinstance(family, TrainedFamily) and family.init_from is not None:
                where = ("models", key, "init_from")
                _must_be_in(family.init_from, self.models, "model family", where)
                other = self.models[family.init_from]
                if key in self._beginnings(key) or set(family.names) - set(other.names):
                    raise Misplaced(
                        where, f"{family.init_from}; expected another family, with the same members"
                    )
        for key, entry in self.codecs.items():
            for name in entry.datasets or []:
                _must_be_in(name, self.datasets, "data set", ("codecs", key, "datasets"))
            if entry.model is not None:
                _must_be_in(entry.model, self.models, "model family", ("codecs", key, "model"))
                _check_points(self.models[entry.model], entry, ("codecs", key))
        _must_be_in(self.figures.reference, self.codecs, "codec", ("figures", "reference"))
        for name, shown in self.figures.false_colour.items():
            where = ("figures", "false_colour", name)
            _must_be_in(name, dict.fromkeys(self.test_sets), "test set", where)
            for codec, point in shown.points.items():
                _must_be_in(codec, dict.fromkeys(self.codecs_of(name)), "codec", (*where, "points", codec))
                _must_be_in(point, self.codecs[codec].points, "point", (*where, "points", codec))
        return self

    @property
    def test_sets(self) -> list[str]:
        """Names of the data sets whose scenes are coded and reported."""
        return [name for name, dataset in self.datasets.items() if dataset.role == "test"]

    @property
    def sensors(self) -> list[str]:
        """Sensors of the test sets, each once."""
        return list(dict.fromkeys(self.datasets[name].sensor for name in self.test_sets))

    def codecs_of(self, dataset: str) -> list[str]:
        """Return the names of the codecs for a test set: those that name it, or name no set and match its sensor."""
        sensor = self.datasets[dataset].sensor
        return [
            name
            for name, entry in self.codecs.items()
            if (
                dataset in entry.datasets
                if entry.datasets is not None
                else entry.model is None or self.models[entry.model].sensor in (None, sensor)
            )
        ]


class Misplaced(ValueError):
    """A value that contradicts another part of the study."""

    def __init__(self, where: tuple[str, ...], message: str):
        super().__init__(message)
        self.where = where


def _check_points(family: Family, entry: CodecEntry, where: tuple[str, ...]) -> None:
    """Reject models of the wrong kind, unknown qualities, and rates for families that cannot take one."""
    contexts = isinstance(family, ContextFamily)
    expected, kind = codec_class(entry.codec).model_kind, "context model" if contexts else "network"
    if kind != expected:
        raise Misplaced((*where, "model"), f"{entry.model}, a {kind}; expected a {expected}")
    gains = isinstance(family, TrainedFamily) and family.kind == "gains"
    if entry.rates and not (gains or contexts):
        raise Misplaced(
            (*where, "rates"), f"rates of {entry.model}, whose kind is not gains; expected qualities"
        )
    for quality in entry.qualities:
        if quality > family.qualities or (quality % 1 and not gains):
            numbers = "a number" if gains else "an integer"
            message = f"quality {quality:g} of {entry.model}; expected {numbers} of 1 to {family.qualities}"
            raise Misplaced((*where, "qualities"), message)


def _must_be_in(name: str, known: dict[str, Any], what: str, where: tuple[str, ...]) -> None:
    if name not in known:
        raise Misplaced(
            where, f"{what} {name!r} is not defined; expected one of {', '.join(known) or 'none'}"
        )
