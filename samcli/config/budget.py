"""A budget of tokens: as many passes over a training text as see that many, few over much text or many over little."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from samcli.config.block import as_list
from samcli.config.schema import RunConfig
from samcli.config.source import Source
from samcli.errors import ConfigError


def budgets_of(value: Any, source: Source) -> list[int | None]:
    """The numbers of tokens that an experiment asks for; None alone where it asks for epochs.

    Raises:
        ConfigError: not a whole number, nor several.

    >>> budgets_of([1000, 2000], Source({})), budgets_of(None, Source({}))
    ([1000, 2000], [None])
    """
    if value is None:
        return [None]
    wanted = as_list(value)
    for one in wanted:
        if isinstance(one, bool) or not isinstance(one, int) or one < 1:
            raise ConfigError(f"{source.where(('tokens',))}: tokens must be a whole number at least 1, not {one!r}.")
    if not wanted:
        raise ConfigError(f"{source.where(('tokens',))}: tokens is an empty list; give it a value.")
    return wanted


def with_tokens(run: RunConfig, tokens: int, source: Source) -> RunConfig:
    """The run with as many epochs as are so many tokens: passes over the `train_tokens` of its text.

    Raises:
        ConfigError: the data set does not say how many tokens a pass has, they do not divide the budget, or a pass
            leaves some out.
    """
    where, of_a_pass = source.where(("tokens",)), run.dataset.get("train_tokens")
    if of_a_pass is None:
        raise ConfigError(
            f"{where}: tokens is a budget of passes over a text of known length; set dataset.train_tokens of "
            f"{run.dataset['name']}, or epochs instead of tokens."
        )
    if run.dataset.get("train_examples") is not None:
        raise ConfigError(f"{where}: train_examples takes tokens away from each pass; use dataset.train_tokens alone.")
    if tokens % of_a_pass:
        nearest = max(1, round(tokens / of_a_pass)) * of_a_pass
        raise ConfigError(
            f"{where}: {tokens} tokens are no whole number of passes over {of_a_pass}; set tokens: {nearest}, or "
            "another dataset.train_tokens."
        )
    windows, batch = of_a_pass // run.dataset["context"], run.training.batch_size
    if windows > batch and windows % batch == 1:  # see `samcli.data.Dataset.steps`
        raise ConfigError(
            f"{where}: batches of {batch} leave one of {windows} windows over, which is not trained on; set another "
            "batch_size or dataset.train_tokens."
        )
    return replace(run, training=replace(run.training, epochs=tokens // of_a_pass))
