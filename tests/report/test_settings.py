"""Which settings a row must show."""

from typing import Any

from run_folders import Block

from samcli.report.settings import captions, distinguishing, label, unsaid


def config(optimizer: Block, **other: Any) -> dict[str, Any]:
    return {"name": "x", "dataset": {"name": "d"}, "model": {"name": "m"}, "optimizer": optimizer, "seeds": 0} | other


def test_only_what_differs_and_the_radius() -> None:
    sgd = config({"name": "sgd", "lr": 0.1, "momentum": 0.9})
    sam = config({"name": "sam", "base": "sgd", "lr": 0.1, "momentum": 0.9, "rho": 0.05, "norm": 2.0})
    assert distinguishing([sgd, sam]) == [{}, {"optimizer.rho": "0.05"}]
    faster = config({**sam["optimizer"], "lr": 0.2})
    found = [label(row) for row in distinguishing([sgd, sam, faster])]
    assert found == ["lr=0.1", "rho=0.05 lr=0.1", "rho=0.05 lr=0.2"]
    half = [sgd, config({"name": "adam", "lr": 0.001})]
    assert [label(row) for row in distinguishing(half)] == ["lr=0.1", "lr=0.001"]
    parts = [config({**sam["optimizer"], "m": m}) for m in (None, 8)]
    assert [label(row) for row in distinguishing(parts)] == ["rho=0.05", "rho=0.05 m=8"]


def test_what_nearly_all_rows_have_is_said_once() -> None:
    """Of a family of five with one lr, and one with another; not where rows of one optimizer differ."""
    family = [config({"name": name, "lr": 0.1}) for name in "abcde"]
    other = config({"name": "f", "lr": 0.5})
    assert distinguishing([*family, other]) == [{}] * 5 + [{"optimizer.lr": "0.5"}]
    assert unsaid([*family, other]) == {"lr": "0.1"}
    both = [*family, config({"name": "e", "lr": 0.5})]
    assert [label(row) for row in distinguishing(both)] == ["", "", "", "", "lr=0.1", "lr=0.5"]
    assert unsaid(both) == {"lr": "0.1"}
    few = [*family[:3], other]  # three quarters are not nearly all
    assert [label(row) for row in distinguishing(few)] == ["lr=0.1", "lr=0.1", "lr=0.1", "lr=0.5"]
    assert unsaid(few) == unsaid(family) == unsaid([]) == {}
    places = [
        *(
            config({"name": name, "lr": lr}, dataset={"name": d})
            for d, lr in (("p", 0.1), ("q", 0.2))
            for name in "abcde"
        ),
        *(config({"name": "f", "lr": 0.5}, dataset={"name": d}) for d in "pq"),
    ]
    assert unsaid(places) == {"lr on p": "0.1", "lr on q": "0.2"}


def test_the_base_is_shown_where_bases_differ() -> None:
    adam = config({"name": "adam", "lr": 0.1})
    sam = config({"name": "sam", "base": "sgd", "lr": 0.1, "rho": 0.05})
    assert [label(row) for row in distinguishing([adam, sam])] == ["", "rho=0.05 base=sgd"]


def test_options_of_another_data_set_or_model_do_not_count() -> None:
    rows = [
        config({"name": "sgd"}, dataset={"name": "a", "label_noise": 0.0}, epochs=5),
        config({"name": "sgd"}, dataset={"name": "b", "label_noise": 0.4}, epochs=9),
        config({"name": "sgd"}, dataset={"name": "b", "label_noise": 0.2}, epochs=9),
        config({"name": "sgd"}, dataset={"name": "b", "label_noise": 0.2}, epochs=9, model={"name": "n", "depth": 3}),
    ]
    noise = [{}] + [{"dataset.label_noise": value} for value in ("0.4", "0.2", "0.2")]
    assert distinguishing(rows) == noise


def test_labels_read_like_the_experiment_file() -> None:
    settings = {
        "optimizer.rho": "0.1",
        "dataset.augment": "crop+flip",
        "model.dropout": "0.3",
        "epochs": "5",
        "schedule.name": "cosine",
        "sharpness.rho": "0.05",
    }
    assert label(settings) == "rho=0.1 epochs=5 schedule=cosine sharpness.rho=0.05"
    assert (label(settings, "dataset"), label(settings, "model")) == ("augment=crop+flip", "dropout=0.3")


def test_values_as_texts() -> None:
    a = config({"name": "sgd", "lr": 1e-5, "nesterov": True}, clip_norm=None, dataset={"name": "d", "augment": []})
    b = config({"name": "sgd", "lr": 2.0, "nesterov": False}, clip_norm=1, dataset={"name": "d", "augment": ["crop"]})
    one, two = distinguishing([a, b])
    assert label(one) == "lr=1e-05 nesterov=true clip_norm=null"
    assert label(two) == "lr=2 nesterov=false clip_norm=1"
    assert (label(one, "dataset"), label(two, "dataset")) == ("augment=none", "augment=crop")


def test_captions() -> None:
    sgd, sam = {"name": "sgd", "lr": 0.1}, {"name": "sam", "lr": 0.1, "base": "sgd", "rho": 0.1}
    runs = [config(sgd), config(sam), config(sgd, seeds=1)]
    assert captions(runs) == [("sgd", "seed 0"), ("sam rho=0.1", "seed 0"), ("sgd", "seed 1")]
    assert captions([runs[0], config(sgd, model={"name": "n"})]) == [("d, m sgd", "seed 0"), ("d, n sgd", "seed 0")]


def test_a_run_of_before_an_option_is_told_from_one_that_has_it() -> None:
    """It is the default of the option, and says so where a default goes with saying."""
    old = config({"name": "sgd", "lr": 0.1})
    averaged = config({"name": "sgd", "lr": 0.1, "average": "ema"})
    assert [label(row) for row in distinguishing([old, averaged])] == ["", "average=ema"]
    small = {"dataset": {"name": "d", "shrink": 2}, "head_lr": 0.5}
    found = distinguishing([old, config({"name": "sgd", "lr": 0.1}, **small)])
    assert found == [
        {"dataset.shrink": "1", "head_lr": "null"},
        {"dataset.shrink": "2", "head_lr": "0.5"},
    ]
    assert distinguishing([old, config({"name": "sgd", "lr": 0.1}, head_lr=None)]) == [{}, {}]


def test_runs_of_clients_are_told_from_each_other_and_from_others() -> None:
    plain = config({"name": "sgd", "lr": 0.1})
    clients = {"clients": 10, "alpha": 0.1, "shards": None, "server": "average", "swa_from": None}
    alpha, shards = (plain | {"federated": clients | c} for c in ({}, {"alpha": None, "shards": 2}))
    swa = plain | {"federated": clients | {"server": "swa", "swa_from": 0.75}}
    assert [label(row) for row in distinguishing([plain, alpha])] == ["federated.clients=0", "federated.clients=10"]
    assert [label(row) for row in distinguishing([alpha, shards])] == ["federated.alpha=0.1", "federated.shards=2"]
    assert [label(row) for row in distinguishing([alpha, swa])] == [
        "federated.server=average",
        "federated.server=swa federated.swa_from=0.75",
    ]
    assert distinguishing([plain, config({"name": "sgd", "lr": 0.1})]) == [{}, {}]
