"""A trained network that is given new inputs, without the data it was trained on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from samcli.config import RunConfig
from samcli.errors import CheckpointError, ConfigError
from samcli.home.known import Known, known_of
from samcli.home.program import Preprocessing, Program
from samcli.home.raw import raw_inputs
from samcli.registry import load_plugin
from samcli.runs.folder import find_checkpoints
from samcli.tasks import Task
from samcli.train.components import build_model
from samcli.train.trained import load_trained, read_checkpoint

FILES = {"last": "checkpoint.pt", "best": "best.pt"}
BATCH_SIZE = 500  # examples in a forward pass


@dataclass(frozen=True, eq=False)
class Network:
    """A trained network, and what turns a user's inputs into its own.

    Attributes:
        model: in evaluation mode; takes what `preprocess` gives.
        config: the run that trained it.
        epoch: how many epochs it was trained for.
        known: what it is given, and what it predicts.
        program: from raw inputs to predictions, on the device of the model.
    """

    model: nn.Module
    config: RunConfig
    epoch: int
    known: Known
    program: Program

    @property
    def task(self) -> Task:
        """What is predicted."""
        return self.known.task

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes in the order of their numbers; empty for a regression."""
        return self.known.class_names

    def raw(self, inputs: Any) -> Tensor:
        """A batch of raw inputs on the host, see `samcli.home.raw.raw_inputs`.

        Raises:
            DataError: a file cannot be read, a column is missing, or an array has another shape.
            ConfigError: inputs of another kind than the network takes.
        """
        return raw_inputs(inputs, self.known)

    def preprocess(self, inputs: Any) -> Tensor:
        """The inputs of `model` for a batch, on its device: (N, C, H, W) or (N, F) float32, or (N, T) int64.

        Args:
            inputs: one or several; for images paths, images of Pillow or arrays of 8 bits; for tables a frame of
                pandas, a dictionary of columns or of one row, or the path of a CSV file; for texts texts.

        Raises:
            DataError: a file cannot be read, a column is missing, or an array has another shape.
            ConfigError: inputs of another kind than the network takes.
        """
        made: Tensor = self.program.preprocessing(self.raw(inputs).to(self._device))
        return made

    def predict(self, inputs: Any) -> Tensor:
        """The probabilities of the classes, (N, classes), or the values of a regression in the target's unit, (N,).

        They are on the host.

        Args:
            inputs: as for `preprocess`.

        Raises:
            DataError: a file cannot be read, a column is missing, or an array has another shape.
            ConfigError: inputs of another kind than the network takes.
        """
        raw = self.raw(inputs)
        with torch.inference_mode():
            parts = [self.program(raw[i : i + BATCH_SIZE].to(self._device)) for i in range(0, len(raw), BATCH_SIZE)]
        return torch.cat([part.float().cpu() for part in parts]) if parts else torch.zeros(0)

    @property
    def _device(self) -> torch.device:
        return self.program.preprocessing.shift.device


def load(
    run: str | Path,
    *,
    epoch: Literal["last", "best"] = "last",
    device: str | torch.device = "cpu",
    plugins: Sequence[str | Path] = (),
    data_dir: str | Path | None = None,
    image_folder: str | Path | None = None,
) -> Network:
    """The network of a run, ready for new inputs. It needs no data set.

    >>> import samcli, tempfile
    >>> from samcli.config import Draft, parse
    >>> from samcli.runs.folder import RunFolder
    >>> from samcli.train import CATALOGUE, train_run
    >>> text, cpu = "{dataset: wine, model: linear, optimizer: sgd, epochs: 1}", torch.device("cpu")
    >>> (config,) = Draft.of(parse(text, "wine.yaml"), CATALOGUE).expand()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     status = train_run(config, RunFolder(Path(folder)), data_dir=Path("data"), device=cpu)
    ...     network = samcli.load(folder)
    >>> network.classes, network.predict(torch.zeros(2, 13)).shape
    (('class_0', 'class_1', 'class_2'), torch.Size([2, 3]))

    Args:
        run: a run folder, a checkpoint, or a folder in which one run is.
        epoch: the last one, or the best on the validation part, which a run keeps if it is asked to.
        device: where the network is to be.
        plugins: Python files that the run needed; none is run that is not named here.
        data_dir: where data sets lie; only for checkpoints of earlier versions, which do not say what their networks
            are given.
        image_folder: where the images of such a run lie now, if their folder was moved.

    Raises:
        CheckpointError: unreadable, or of a configuration that this samcli does not know.
        PluginNeeded: it uses what a Python file registers that was not run.
        ConfigError: no such epoch, or several runs.
        DataError: an older checkpoint, whose data set is missing.
    """
    for plugin in plugins:
        load_plugin(plugin)
    file = checkpoint_of(Path(run), epoch)
    content, config = read_checkpoint(file)
    document = content.get("data")
    if document is None:
        document = _document_of_data(file, data_dir, image_folder)
    known = known_of(document, file)
    model = _model(config, known, content["model"], file).to(device).eval()
    preprocessing = Preprocessing(known).to(device)
    return Network(model, config, content["epoch"], known, Program(preprocessing, model, known.task).eval())


def checkpoint_of(path: Path, epoch: str = "last") -> Path:
    """The checkpoint of an epoch that a path stands for.

    Raises:
        ConfigError: there are several runs, or no such epoch.
        CheckpointError: the run has none.

    >>> checkpoint_of(Path("loose.pt"))
    PosixPath('loose.pt')
    """
    if epoch not in FILES:
        raise ConfigError(f"The epoch must be {' or '.join(FILES)}, not {epoch!r:.60}.")
    found = find_checkpoints([path])
    if len(found) > 1:
        raise ConfigError(f"There are {len(found)} runs in {path}; name one of them, such as {found[0].parent}.")
    (file,) = found
    if epoch == "last" or file.name not in FILES.values():
        return file
    best = file.with_name(FILES[epoch])
    if not best.is_file():
        raise CheckpointError(
            f"{best.parent} has no {best.name}; a run that keeps its best epoch writes one. The last epoch is there."
        )
    return best


def _document_of_data(file: Path, data_dir: str | Path | None, image_folder: str | Path | None) -> dict[str, Any]:
    """What an older checkpoint does not say of its data, from these themselves."""
    trained = load_trained(
        file,
        data_dir=None if data_dir is None else Path(data_dir),
        device=torch.device("cpu"),
        image_folder=None if image_folder is None else Path(image_folder),
    )
    return trained.data.document()


def _model(config: RunConfig, known: Known, weights: Mapping[str, Any], file: Path) -> nn.Module:
    """The model with its weights.

    Raises:
        CheckpointError: they do not fit each other.
    """
    try:
        with _kept_randomness():
            if (difference := _difference(config, known, weights)) is not None:
                raise ValueError(difference)
            model = build_model(config, known.shape, known.task.outputs)
        model.load_state_dict(dict(weights))
    except (ConfigError, RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:
        reason = str(error).partition("\n")[0].rstrip(".:")
        raise CheckpointError(
            f"{file} does not fit this version of samcli ({reason}); use the samcli that wrote it."
        ) from error
    return model


def _difference(config: RunConfig, known: Known, weights: Mapping[str, Any]) -> str | None:
    """What tells that weights are not those of the model, found without memory for it: it may be a stranger's wish."""
    try:
        with torch.device("meta"):
            sketch = build_model(config, known.shape, known.task.outputs).state_dict()
    except (NotImplementedError, RuntimeError):  # a model of a plug-in that looks at its numbers
        return None
    wanted = {name: tuple(tensor.shape) for name, tensor in sketch.items() if isinstance(tensor, Tensor)}
    given = {name: tuple(tensor.shape) for name, tensor in weights.items() if isinstance(tensor, Tensor)}
    for name in dict.fromkeys((*wanted, *given)):
        if wanted.get(name) != given.get(name):
            return f"{name:.60} is {given.get(name, 'not there')} and should be {wanted.get(name, 'not there')}"
    return None


@contextmanager
def _kept_randomness() -> Iterator[None]:
    """Within the block random numbers may be drawn, and none of the user's are used up."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()  # type: ignore[no-untyped-call]
    deterministic = torch.backends.cudnn.deterministic
    with torch.random.fork_rng(list(devices)):
        try:
            yield
        finally:
            torch.backends.cudnn.deterministic = deterministic
