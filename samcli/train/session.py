"""One run in memory: its data, model and optimizer, the epochs it has behind it, and how to save and restore them."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from samcli import optim
from samcli.config import RunConfig
from samcli.data import Part
from samcli.losses import mean_loss
from samcli.runs import EpochMetrics
from samcli.runs.confusion import Confusion
from samcli.train.averaged import recalibrate_average, restore_tensors, tensors_of
from samcli.train.catalogue import CATALOGUE
from samcli.train.components import build_model, build_optimizer, load_dataset, wants_partner
from samcli.train.confusion import confusion_of
from samcli.train.device import autocast, clock
from samcli.train.early_stopping import EarlyStopping, has_begun, restore_early_stopping, tensors_with
from samcli.train.ending import diverged, ends_with
from samcli.train.evaluated import See, evaluate_parts
from samcli.train.initial import begin_with_stage, initialise
from samcli.train.objective import measured_loss, training_loss
from samcli.train.on_request import check_metrics
from samcli.train.optimizer_state import rebuilt_optimizer, restore_optimizer
from samcli.train.own_labels import OwnLabels, check_same_classes, own_labels
from samcli.train.recorded import FROM_ONE_GRADIENT, record
from samcli.train.seeding import seed_everything
from samcli.train.tally import Tally


class Session:
    """A run that can be trained epoch by epoch.

    All randomness of an epoch, in the order and augmentation of the data as in dropout, is a function of the run's seed
    and the epoch's number. So a session restored after epoch k continues exactly as if it had never stopped.

    >>> from samcli.config import Draft, parse
    >>> text = "{dataset: wine, model: linear, optimizer: sgd, epochs: 3}"
    >>> (config,) = Draft.of(parse(text, "wine.yaml"), CATALOGUE).expand()
    >>> session = Session(config, data_dir=Path("data"), device=torch.device("cpu"))
    >>> while not session.finished:
    ...     row = session.train_epoch()
    >>> row["epoch"], session.epoch, row["train_loss"] < session.rows[0]["train_loss"]
    (3, 3, True)

    Args:
        config: the run.
        data_dir: where data sets lie.
        device: where to train.
        sharing: the processes that share each batch, from the model; None for this one alone. All of them train each
            epoch, and all have the same model, optimizer and rows afterwards, save for what is evaluated.
        begins: whether it begins, with the weights of its `init` if it has one; not where a state is restored, nor
            where a stage came before.

    Attributes:
        data: the data set, its loss and its score.
        loss: that is trained: of the task, with label smoothing and weights of classes.
        model: under training; in training mode during an epoch, in evaluation mode after it.
        average: that of its weights, if the optimizer has one.
        optimizer: with the state of the last step.
        own: the labels that it trains on, with `labels: own`; None until a stage has given them, and without.
        initial: what is known of the file that the model began with, see `samcli.train.initial`; None without one.
        rows: a row of metrics for each finished epoch.
        gradient_evaluations: how many examples went forward and backward so far.
    """

    def __init__(
        self,
        config: RunConfig,
        *,
        data_dir: Path,
        device: torch.device,
        sharing: Callable[[nn.Module], optim.Ranks] | None = None,
        begins: bool = True,
    ) -> None:
        self.config = config
        self.device = device
        self.data = load_dataset(config, data_dir=data_dir, device=device)
        self.task = self.data.task
        self.loss = training_loss(config.training, self.data)
        self._measured_loss = measured_loss(config.training, self.data)
        check_metrics(config.evaluate.metrics, self.data)
        self.model = build_model(config, self.data.shape, self.task.outputs).to(device)
        self.initial = None
        if begins and not config.stages:
            shape, known = self.data.shape, self.data.document()
            self.initial = initialise(config, self.model, shape, self.task.outputs, data=known)
        self.ranks = sharing(self.model) if sharing else None
        self.optimizer = build_optimizer(config, self.model, self.task.outputs)
        settings = optim.OptimizerSettings.of(config.optimizer)
        self.radius = settings.radius
        self.scaler = torch.amp.GradScaler(device.type) if config.training.precision == "fp16" else None
        self.schedule: optim.Schedule = CATALOGUE.create("schedule", config.schedule)
        self._count_steps()
        self.rows: list[EpochMetrics] = []
        self.early = EarlyStopping(self.model, self.task.metric) if config.training.patience is not None else None
        self.gradient_evaluations = 0
        self._rates = [float(group["lr"]) for group in self.optimizer.param_groups]  # at the top of the schedule
        self._tally = Tally(device)
        self._step: Callable[[Tensor, Tensor, Tensor], tuple[int, int]] = self._take_step
        if device.type == "cuda" and self.scaler is None and self.ranks is None:  # these decide on the host
            self._step = optim.Replayed(self._take_step, self.optimizer, device)
        self._warm = False
        self._sharpness_part = self.data.train.subset(config.sharpness.examples, seed=0)
        self.own: OwnLabels | None = None

    @property
    def epoch(self) -> int:
        """How many epochs are finished."""
        return len(self.rows)

    @property
    def network(self) -> nn.Module:
        """What is measured and taken home: the average of the weights, or that of the best epoch, once there is one.

        Before it is the model under training.
        """
        if self.early and has_begun(self.rows):
            return self.early.network
        return self.average.network if self.average and self.average.networks else self.model

    @property
    def finished(self) -> bool:
        """Whether all epochs are finished, or the training loss at which to stop is reached."""
        return bool(self.rows) and ends_with(self.config.training, self.rows[-1])

    @property
    def replay_status(self) -> dict[str, Any] | None:
        """How many steps were replayed and why no more can be recorded, see `samcli.optim.Replayed`; None off a GPU."""
        step = self._step
        return {"steps": step.replays, "failure": step.failure} if isinstance(step, optim.Replayed) else None

    def state(self) -> dict[str, Any]:
        """The content of a checkpoint; its `model` is `network`."""
        random = {"cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            random["cuda"] = torch.cuda.get_rng_state(self.device)
        return {
            "config": self.config.document(),
            "data": self.data.document(),
            **tensors_of(self.model, self.average),
            **tensors_with(self.early, self.rows, self.model),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict() if self.scaler else None,
            "random_state": random,
            "epoch": self.epoch,
            "gradient_evaluations": self.gradient_evaluations,
            "rows": self.rows,
            **({"own_labels": self.own.document()} if self.own else {}),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from the state of a session of the same configuration, see `state`."""
        if self.config.training.labels == "own":
            self._train_on(OwnLabels.of(state.get("own_labels"), self.data))
        restore_tensors(self.model, self.average, state, len(state["rows"]) * self.steps_per_epoch)
        restore_early_stopping(self.early, self.model, state)
        restore_optimizer(self.optimizer, state["optimizer"])
        if self.scaler:
            self.scaler.load_state_dict(state["scaler"])
        self.gradient_evaluations = state["gradient_evaluations"]
        self.rows = list(state["rows"])
        # each epoch seeds itself; this is for code of the user's that draws between epochs
        torch.set_rng_state(state["random_state"]["cpu"])
        if self.device.type == "cuda" and "cuda" in state["random_state"]:
            torch.cuda.set_rng_state(state["random_state"]["cuda"], self.device)

    def go_on_from(self, stage: Mapping[str, Any]) -> None:
        """Begin with the network of a stage that came before; what that took is not counted here.

        The head is drawn by the seed where the classes are others, or the model asks for that. With `labels: own` the
        network labels the training examples now, once and for all.

        Args:
            stage: the content of its checkpoint.

        Raises:
            ConfigError: its tensors do not fit, its inputs mean something else, or it can give no labels.
        """
        known = self.data.document()
        wants_labels = self.config.training.labels == "own"
        if wants_labels:
            check_same_classes(stage["data"], known)
        begin_with_stage(self.config, self.model, self.task.outputs, known, stage["model"], stage["data"])
        if wants_labels:
            self._train_on(own_labels(self.model, self.data, self.config.training.drop))

    def _train_on(self, own: OwnLabels) -> None:
        """Train on these labels, in the place of those of the data set."""
        assert self.own is None
        self.own, self.data = own, self.data.relabelled(own.kept, own.labels)
        self._count_steps()
        self._sharpness_part = self.data.train.subset(self.config.sharpness.examples, seed=0)

    def _count_steps(self) -> None:
        """Count the steps of an epoch, by which an average of the weights knows its networks."""
        training, settings = self.config.training, optim.OptimizerSettings.of(self.config.optimizer)
        self.steps_per_epoch = self.data.steps(training.batch_size)
        self.average = settings.average_of(self.model, self.steps_per_epoch, training.epochs)

    def train_epoch(self) -> EpochMetrics:
        """Train the next epoch and measure: the new row, which is also appended to `rows`.

        A row whose losses are not finite is returned but not kept: the run has diverged.
        """
        row: EpochMetrics = {"epoch": self.epoch + 1, **self._train()}
        if torch.isfinite(torch.tensor(row["train_loss"])):
            row |= self._evaluate(row)
            row |= self._measure_sharpness(row)
        if diverged(row):
            return row
        self.rows.append(row)
        return row

    def train_unmeasured(self) -> None:
        """Train the next epoch as `train_epoch` does and evaluate nothing: for a partner, whose rows nobody reads."""
        self.rows.append({"epoch": self.epoch + 1, **self._train()})

    def _train(self) -> EpochMetrics:
        settings, epoch = self.config.training, self.epoch + 1
        if settings.labels == "own" and self.own is None:
            raise RuntimeError("A run with labels: own trains on those of a stage, which has to come first.")
        self._warm_up()
        seed_everything(self.config.seed, "epoch", epoch, *self._own_draws())
        self.model.train()
        self._tally.clear()
        examples, scored, rate = 0, 0, 0.0
        start, cpu_start = clock(self.device), time.process_time()
        order = self.data.order(epoch, self.config.seed).to(self.device)
        batches = self.data.epoch(epoch, settings.batch_size, self.config.seed, settings.mixup)
        for index, (inputs, targets) in enumerate(batches):
            step = (epoch - 1) * self.steps_per_epoch + index
            rate = self._set_schedules(step)
            seen, evaluated = self._step(inputs, targets, order[examples : examples + len(inputs)])
            if self.average:
                self.average.update(self.model, step + 1)
            examples, scored = examples + len(inputs), scored + seen
            self.gradient_evaluations += evaluated
        seconds, cpu_seconds = clock(self.device) - start, time.process_time() - cpu_start
        if self.ranks is not None:
            scored, cpu_seconds = self._tally.add_up(self.ranks, scored, cpu_seconds)
        sharp = self.optimizer if isinstance(self.optimizer, optim.SharpnessAware) else None
        skipped = sharp.skipped_steps if sharp else 0
        return self._trained(scored, examples, rate, seconds, cpu_seconds, skipped)

    def _trained(
        self, scored: int, examples: int, rate: float, seconds: float, cpu_seconds: float, skipped_steps: int
    ) -> EpochMetrics:
        """What the row of an epoch tells of its training, with the sums of the tally."""
        assert self._tally.statistics is not None
        return {
            "train_loss": self._tally.mean_loss(scored),
            f"train_{self.task.metric}": self.task.score(self._tally.statistics, scored),
            "learning_rate": rate,
            "rho": self.optimizer.rho if isinstance(self.optimizer, optim.SharpnessAware) else None,
            "train_seconds": seconds,
            "gradient_evaluations": self.gradient_evaluations,
            "examples_per_second": examples / seconds,
            "skipped_steps": skipped_steps,
            # that of a partner is not known here
            "cpu_seconds": None if wants_partner(self.config) else cpu_seconds,
            **(self.own.columns if self.own else {}),
        }

    def _take_step(self, inputs: Tensor, targets: Tensor, indices: Tensor) -> tuple[int, int]:
        """A step on one batch, which is added to the tally.

        The host waits for nothing in it, and does nothing that the numbers returned do not tell: it may be recorded
        and replayed, see `samcli.optim.Replayed`.

        Returns:
            How many examples the tally got here, and how many went forward and backward in all processes.
        """
        batch = self._batch(inputs, targets, indices)
        loss = optim.take_step(self.optimizer, batch, self.scaler)
        output, output_targets = batch.here  # a cheaper ascent leaves examples out
        seen = len(output_targets)
        known = mean_loss(self.loss)
        denominator = None if known is None else known.denominator(output_targets)
        self._tally.add(loss, self.task.statistics(output, output_targets), seen, denominator)
        return seen, batch.evaluated

    def _own_draws(self) -> tuple[str, ...]:
        """What tells the dropout of this rank's examples from that of the others."""
        return () if self.ranks is None or self.ranks.rank == 0 else (f"rank {self.ranks.rank}",)

    def _warm_up(self) -> None:
        """One pass of a copy of the model, off the clock: the first of a process sets up threads and kernels."""
        if not self._warm:
            inputs, targets = next(iter(self.data.train.batches(self.config.training.batch_size)))
            twin = copy.deepcopy(self.model).train()
            self._batch(inputs, targets, torch.arange(len(inputs), device=self.device), twin)()
        self._warm = True

    def _evaluate(self, row: EpochMetrics) -> EpochMetrics:
        """The losses and scores of the other parts where they are due after this epoch, else nothing.

        The seconds count the pass that an average needs, which is made after every epoch: each has its checkpoint.
        """
        self.model.eval()
        start = clock(self.device)
        recalibrated = recalibrate_average(self.average, self.config, self.data, self.epoch + 1)
        found: EpochMetrics = {}
        if self.config.evaluate.is_due(self.epoch + 1, last=ends_with(self.config.training, row)):
            candidate = self.model if self.early else self.network
            found = evaluate_parts(candidate, self.data, self.config.evaluate.metrics, self._watcher)
            if self.early and not diverged(found):
                found = self.early.choose(self.model, self.epoch + 1, found, self.rows)
        return {**found, "eval_seconds": clock(self.device) - start} if found or recalibrated else {}

    def _watcher(self, part: str) -> See | None:
        """What is given the outputs and targets of a part while it is evaluated, beside what the metrics ask for."""
        del part
        return None

    def confusion(self) -> Confusion | None:
        """Which classes of the test part the model takes for which, see `samcli.train.confusion.confusion_of`."""
        return confusion_of(self.network, self.data)

    def _measure_sharpness(self, row: EpochMetrics) -> EpochMetrics:
        """The measures that the settings ask for after this epoch, taken off the training clock."""
        settings = self.config.sharpness
        due = settings.every and ((self.epoch + 1) % settings.every == 0 or ends_with(self.config.training, row))
        if not (due and settings.measures):
            return {}
        start = clock(self.device)
        network, optimizer = self.network, self.optimizer
        if network is not self.model and not set(settings.measures) <= set(FROM_ONE_GRADIENT):
            # as it is for whoever measures the checkpoint: a state belongs to the parameters of one network
            optimizer = rebuilt_optimizer(self.config, network, self.task.outputs, optimizer.state_dict())
        recorded = record(network, self._measured_loss, self._sharpness_part, settings, optimizer)
        return {**recorded, "sharpness_seconds": clock(self.device) - start}

    def _batch(self, inputs: Tensor, targets: Tensor, indices: Tensor, model: nn.Module | None = None) -> optim.Batch:
        """The closure of one batch, through the session's own model if no other is given."""
        settings = self.config.training
        return optim.Batch(
            model or self.model,
            self.loss,
            inputs,
            targets,
            indices=indices,
            population=len(self.data.train),
            accumulate=settings.accumulate,
            precision=partial(autocast, settings.precision, self.device),
            scale=self.scaler.scale if self.scaler else None,
            ranks=self.ranks,
            training_set=self._training_set,
        )

    def _training_set(self) -> Iterator[tuple[Tensor, Tensor]]:
        """What is trained on, batch by batch, in its order and without augmentation, for a rule that climbs for it."""
        part = self._trained_part()
        return part.batches(part.at_once(self.config.training.batch_size), least=2)

    def _trained_part(self) -> Part:
        """The examples that the steps under way are of."""
        return self.data.train

    def _set_schedules(self, step: int) -> float:
        """Set learning rates and radius for a step, counted from 0 over the whole run.

        Returns:
            The learning rate of the optimizer, from which those of groups differ by constant factors.
        """
        length = (self.steps_per_epoch, self.config.training.epochs)
        factor = self.schedule.factor(step, *length)
        rate = float(self.config.optimizer["lr"] * factor)
        for group, top in zip(self.optimizer.param_groups, self._rates, strict=True):
            group["lr"] = float(top * factor)
        if isinstance(self.optimizer, optim.SharpnessAware):
            self.optimizer.rho_factor = self.radius.factor(step, *length, factor)
            self.optimizer.progress = step / (length[0] * length[1])
        return rate
