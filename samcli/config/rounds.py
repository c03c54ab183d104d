"""What rounds of clients cannot have, as far as an experiment tells; what the data tell is looked at with them."""

from __future__ import annotations

from samcli.config.schema import RunConfig
from samcli.config.source import Source
from samcli.errors import ConfigError


def check_federated(run: RunConfig, source: Source, *, tokens: bool) -> None:
    """Refuse what rounds of clients cannot have.

    Args:
        run: of which each training is a round.
        source: the document, for messages.
        tokens: whether the experiment counts in tokens.

    Raises:
        ConfigError: there is such a thing.
    """
    if run.federated is None:
        return
    for is_there, what, instead in (
        (tokens, "tokens counts passes over a text", "set epochs, the number of rounds"),
        (
            run.training.precision == "fp16",
            "fp16 needs a scale of the loss that settles over many steps, and each client begins anew",
            "set precision to bf16 or fp32",
        ),
        (
            run.optimizer.get("average") is not None,
            "an optimizer's average is of the steps of one client in one round",
            "set server: swa, the mean over rounds",
        ),
        (
            run.training.labels == "own",
            "labels: own are of one network that sees the examples of all clients",
            "make that training the last of the stages",
        ),
        (
            run.training.patience is not None,
            "patience leaves the network of one epoch, and clients go on with what the server has",
            "leave patience out",
        ),
        (run.training.sync_batch_norm, "each client's batches are its own", "leave sync_batch_norm out"),
        (
            run.optimizer.get("processes") == 2,
            f"{run.optimizer['name']} with processes: 2 trains the whole run in two processes",
            "set its processes to 1",
        ),
        (
            run.training.stop_at_train_loss is not None and run.federated.server == "swa",
            "server: swa begins after a share of all rounds, and stop_at_train_loss may end before",
            "leave one of them out",
        ),
        (
            bool(run.sharpness.every) and "lambda-max-adam" in run.sharpness.measures,
            "lambda-max-adam looks at the state of the optimizer, which clients drop after a round",
            "leave it out of sharpness.measures",
        ),
        (
            bool(run.sharpness.every) and "edge-ratio" in run.sharpness.measures,
            "edge-ratio is of the steps of one optimizer, and clients drop theirs after a round",
            "leave it out of sharpness.measures",
        ),
    ):
        if is_there:
            raise ConfigError(f"{source.where(('federated',))}: {what}; {instead}, or train without federated.")
