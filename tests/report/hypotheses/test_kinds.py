"""Each kind of hypothesis against plain statistics of the same numbers."""

from typing import Any

import numpy as np
import pytest
from run_folders import SAM, SGD, Results
from scipy import stats

from samcli.config import parse
from samcli.config.hypotheses import hypotheses_of
from samcli.report.hypotheses import KINDS, Cases, Evidence, Untestable
from samcli.report.metric import with_metric
from samcli.stats import equivalence, inside_against_ends, sign_flip, slopes

NOISE = (0.0, 0.2, 0.4)
RADII = (0.05, 0.1, 0.2, 0.4)
SEEDS = range(8)


def evidence(results: Results, text: str) -> Evidence:
    (one,) = hypotheses_of(parse(f"hypotheses: [{{says: x, {text}}}]", "x.yaml"))
    return KINDS[one.kind](Cases(results.runs()), one.fields)


@pytest.fixture
def table(results: Results) -> tuple[Results, Any, Any]:
    """SGD and SAM at four radii over three levels of noise: accuracies by (noise, seed) and (noise, radius, seed)."""
    generator = np.random.default_rng(0)
    sgd = 0.8 - 0.5 * np.array(NOISE)[:, None] + 0.02 * generator.normal(size=(3, len(SEEDS)))
    bump = np.array([0.01, 0.04, 0.05, -0.02])
    lead = bump[None, :, None] + 0.2 * np.array(NOISE)[:, None, None] + 0.005 * generator.normal(size=(3, 4, 8))
    sam = sgd[:, None, :] + lead
    for i, noise in enumerate(NOISE):
        for seed in SEEDS:
            results.add(SGD, seed, (sgd[i, seed],), dataset={"label_noise": noise}, sharpness=0.5)
            for j, rho in enumerate(RADII):
                results.add(
                    {**SAM, "rho": rho},
                    seed,
                    (sam[i, j, seed],),
                    dataset={"label_noise": noise},
                    seconds=2.0 + 0.01 * seed,
                    sharpness=1.0 - sam[i, j, seed],
                )
    return results, sgd, sam


def check_interval(found: Evidence, values: Any) -> None:
    low, high = stats.ttest_1samp(values, 0.0).confidence_interval()
    assert found.n == len(values)
    assert (found.estimate, found.low, found.high) == pytest.approx((np.mean(values), low, high), rel=1e-9)


def test_a_difference_at_one_level(table: tuple[Results, Any, Any]) -> None:
    results, sgd, sam = table
    text = "better: {optimizer: sam, optimizer.rho: 0.1, dataset.label_noise: 0.4}, than: {optimizer: sgd}, by: 0.02"
    found = evidence(results, text)
    values = sam[2, 1] - sgd[2]
    check_interval(found, values)
    assert (found.p_held, found.p_contradicted) == (pytest.approx(sign_flip(list(values - 0.02))), 1.0)
    assert found.words.startswith("sam - sgd: +")
    reverse = evidence(
        results, "better: {optimizer: sgd}, than: {optimizer: sam, optimizer.rho: 0.1, dataset.label_noise: 0.4}"
    )
    check_interval(reverse, -values)
    assert reverse.p_held == 1.0
    assert reverse.p_contradicted == pytest.approx(sign_flip(list(values)))


def test_a_difference_over_all_levels_is_their_mean_by_seed(table: tuple[Results, Any, Any]) -> None:
    results, sgd, sam = table
    found = evidence(results, "better: {optimizer: sam, optimizer.rho: 0.2}, than: {optimizer: sgd}")
    check_interval(found, (sam[:, 2] - sgd).mean(axis=0))


def test_a_difference_between_levels_is_named_on_both_sides(table: tuple[Results, Any, Any]) -> None:
    results, sgd, _ = table
    text = "better: {optimizer: sgd, dataset.label_noise: 0.0}, than: {optimizer: sgd, dataset.label_noise: 0.4}"
    check_interval(evidence(results, text), sgd[0] - sgd[2])


def test_losses_are_better_when_lower(table: tuple[Results, Any, Any]) -> None:
    results, sgd, sam = table
    text = "better: {optimizer: sam, optimizer.rho: 0.1}, than: {optimizer: sgd}, metric: test_loss"
    found = evidence(results, text)
    check_interval(found, (sgd - sam[:, 1]).mean(axis=0))
    assert found.p_held == 2 / 2**8


def test_equality(table: tuple[Results, Any, Any]) -> None:
    results, sgd, sam = table
    text = "equal: [{optimizer: sam, optimizer.rho: 0.05, dataset.label_noise: 0}, {optimizer: sgd}], within: 0.03"
    found = evidence(results, text)
    expected = equivalence(list(sam[0, 0] - sgd[0]), 0.03)
    assert expected is not None
    assert (found.p_held, found.p_contradicted) == pytest.approx((expected.within, expected.beyond))


@pytest.mark.parametrize(("word", "rises"), [("grows_with", True), ("falls_with", False)])
def test_a_trend(table: tuple[Results, Any, Any], word: str, rises: bool) -> None:
    results, sgd, sam = table
    text = f"lead_of: {{optimizer: sam, optimizer.rho: 0.1}}, over: {{optimizer: sgd}}, {word}: dataset.label_noise"
    found = evidence(results, text)
    expected = slopes(NOISE, {seed: list((sam[:, 1] - sgd)[:, seed]) for seed in SEEDS})
    check_interval(found, list(expected.values()))
    p = sign_flip(list(expected.values()))
    assert (found.p_held, found.p_contradicted) == (pytest.approx((p, 1.0)) if rises else pytest.approx((1.0, p)))


@pytest.mark.parametrize("inside", [True, False])
def test_an_optimum_inside(table: tuple[Results, Any, Any], inside: bool) -> None:
    results, _, sam = table
    found = evidence(results, f"best_of: optimizer.rho, inside: {str(inside).lower()}")
    both = inside_against_ends({seed: list(sam.mean(axis=0)[:, seed]) for seed in SEEDS})
    p = max(sign_flip(list(one.values())) for one in both)
    assert found.estimate == 0.2
    assert (found.p_held if inside else found.p_contradicted) == pytest.approx(p)
    assert (found.p_contradicted if inside else found.p_held) == 1.0


def test_the_width_of_a_range(table: tuple[Results, Any, Any]) -> None:
    results, sgd, sam = table
    held = evidence(results, "range_of: optimizer.rho, beats: {optimizer: sgd}, spans: 4")
    wide = evidence(results, "range_of: optimizer.rho, beats: {optimizer: sgd}, spans: 8, among: {optimizer: sam}")
    leads = (sam - sgd[:, None]).mean(axis=0)
    p = [sign_flip(list(one)) if one.mean() > 0 else 1.0 for one in leads]
    assert held.p_held == pytest.approx(min(1.0, 2 * min(max(p[:3]), max(p[1:]))))
    assert wide.p_held == pytest.approx(max(p))
    assert held.words == f"optimizer.rho 0.05 to {0.4 if leads[3].mean() > 0 else 0.2:g}"
    with pytest.raises(Untestable, match=r"goes from 0\.05 to 0\.4, less than 10 times"):
        evidence(results, "range_of: optimizer.rho, beats: {optimizer: sgd}, spans: 10")


def test_a_correlation_is_one_of_settings_within_a_seed(table: tuple[Results, Any, Any]) -> None:
    results, _, sam = table
    found = evidence(results, "correlated: [sharpness, test_accuracy], tau: '< 0', among: {optimizer: sam}")
    # sharpness is 1 less the accuracy there, so that τ is -1 for each seed
    assert (found.estimate, found.n, found.p_held) == (pytest.approx(-1.0), 8, 2 / 2**8)
    loss = evidence(results, "correlated: [test_loss, sharpness], among: {optimizer: sam, dataset.label_noise: 0.2}")
    expected = [stats.kendalltau(1 - sam[1, :, seed], 1 - sam[1, :, seed]).statistic for seed in SEEDS]
    assert loss.estimate == pytest.approx(np.mean(expected))


def test_a_ratio_is_geometric(table: tuple[Results, Any, Any]) -> None:
    results, _, _ = table
    text = "ratio_of: {optimizer: sam, optimizer.rho: 0.1}, to: {optimizer: sgd}, metric: train_seconds"
    found = evidence(results, f"{text}, below: 2.2")
    logs = np.log([2.0 + 0.01 * seed for seed in SEEDS])
    low, high = stats.ttest_1samp(logs, 0.0).confidence_interval()
    assert (found.estimate, found.low, found.high) == pytest.approx(tuple(np.exp([logs.mean(), low, high])), rel=1e-9)
    assert (found.p_held, found.p_contradicted) == (2 / 2**8, 1.0)
    above = evidence(results, f"{text}, above: 2.2")
    assert (above.p_held, above.p_contradicted) == (1.0, 2 / 2**8)


def test_a_metric_less_another(results: Results) -> None:
    """What SAM's larger sharpness costs beyond its loss, of made-up numbers: the difference of two columns of a run."""
    generator = np.random.default_rng(1)
    values = generator.normal(0.6, 0.02, size=(2, 2, 8))  # side, accuracy and sharpness, seed
    for seed in SEEDS:
        results.add(SGD, seed, (values[0, 0, seed],), sharpness=values[0, 1, seed])
        results.add(SAM, seed, (values[1, 0, seed],), sharpness=values[1, 1, seed])
    found = evidence(
        results, "better: {optimizer: sam}, than: {optimizer: sgd}, metric: test_loss, less: sharpness, by: -0.01"
    )
    costs = (1.0 - values[:, 0]) - values[:, 1]
    check_interval(found, costs[1] - costs[0])
    assert found.p_held == pytest.approx(sign_flip(0.01 - (costs[1] - costs[0])) if found.p_held != 1.0 else 1.0)
    level = evidence(
        results, "equal: [{optimizer: sam}, {optimizer: sgd}], metric: test_loss, less: sharpness, within: 0.1"
    )
    assert level.p_held == pytest.approx(equivalence(list(costs[1] - costs[0]), 0.1).within)
    with pytest.raises(Untestable, match="test_accuracy and sharpness are scores of different kinds"):
        evidence(results, "better: {optimizer: sam}, than: {optimizer: sgd}, less: sharpness")


RADII_OF_TWO = (0.1, 0.2, 0.4, 0.8, 1.6)
ASAM = {**SAM, "name": "asam"}


def add_bumps(results: Results, of_sam: list[list[float]], of_asam: list[list[float]]) -> None:
    """Accuracies at five radii for each seed."""
    for optimizer, rows in ((SAM, of_sam), (ASAM, of_asam)):
        for seed, row in enumerate(rows):
            for rho, value in zip(RADII_OF_TWO, row, strict=True):
                results.add({**optimizer, "rho": rho}, seed, (value,))


WIDER = "wider: {optimizer: asam}, than: {optimizer: sam}, along: optimizer.rho, within: 0.05"
NARROW, WIDE = [0.5, 0.7, 0.71, 0.5, 0.4], [0.5, 0.79, 0.8, 0.76, 0.4]  # a factor of 2 and one of 4


def test_the_wider_of_two_ranges(results: Results) -> None:
    add_bumps(results, [NARROW] * 8, [WIDE] * 7 + [[0.5, 0.6, 0.8, 0.6, 0.79]])  # its last has one radius alone
    found = evidence(results, WIDER)
    logs = np.log([2.0] * 7 + [0.5])
    low, high = stats.ttest_1samp(logs, 0.0).confidence_interval()
    assert (found.estimate, found.low, found.high) == pytest.approx(tuple(np.exp([logs.mean(), low, high])), rel=1e-9)
    assert (found.p_held, found.p_contradicted) == pytest.approx((sign_flip(logs), 1.0))
    assert evidence(results, f"{WIDER}, times: 3").p_contradicted == 2 / 2**8


def test_a_range_that_may_go_on_is_no_narrow_one(results: Results) -> None:
    """SAM is still at its best at the largest radius: it is not told that ASAM's range is wider, however far it is."""
    add_bumps(results, [[0.5, 0.5, 0.5, 0.7, 0.71]] * 8, [WIDE] * 8)
    found = evidence(results, WIDER)
    assert found.estimate == pytest.approx(2.0)
    assert (found.p_held, found.p_contradicted) == (1.0, 1.0)
    assert found.words.endswith("where the range of the second reaches the end of what was tried")
    assert found.effect is None, "no number of seeds would decide it"
    turned = evidence(results, "wider: {optimizer: sam}, than: {optimizer: asam}, along: optimizer.rho, within: 0.05")
    assert (turned.p_held, turned.p_contradicted) == (1.0, 1.0), "nor that SAM's is narrower"


def test_widths_by_a_loss_lie_around_the_least(results: Results) -> None:
    add_bumps(results, [NARROW] * 8, [WIDE] * 8)
    assert evidence(results, f"{WIDER}, metric: test_loss").estimate == pytest.approx(2.0)  # it is 1 - accuracy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "better: {optimizer: sam}, than: {optimizer: sgd}",
            "several settings, which differ in optimizer.rho; name one",
        ),
        (
            "better: {optimizer: sam, dataset.label_noise: 0.7}, than: {optimizer: sgd}",
            "No finished runs of optimizer=sam dataset.label_noise=0.7 and optimizer=sgd with the same data and model",
        ),
        ("correlated: [lambda-max, gap]", "No run has measured lambda-max"),
        (
            "wider: {optimizer: sam}, than: {optimizer: sgd}, along: optimizer.rho, within: 0.01",
            "No finished run has optimizer.rho",
        ),
        (
            "wider: {optimizer.rho: [0.1, 0.2]}, than: {optimizer: sam}, along: optimizer.rho, within: 0.01",
            "optimizer.rho has 2 values with finished runs; a width needs three",
        ),
        ("correlated: [sharpness, test_loss], among: {optimizer: sgd}", "No seed has 4 settings with both"),
        (
            "ratio_of: {optimizer: sam, optimizer.rho: 0.1}, to: {optimizer: sgd}, metric: skipped_steps, below: 1",
            "No run has measured skipped_steps",
        ),
    ],
)
def test_what_cannot_be_judged_says_why(table: tuple[Results, Any, Any], text: str, message: str) -> None:
    with pytest.raises(Untestable, match=message):
        evidence(table[0], text)


def test_a_level_that_one_side_lacks_is_not_taken_for_another(results: Results) -> None:
    """SAM at noise 0.4 against SGD, which has finished without noise alone: no difference, rather than a wrong one."""
    for seed in SEEDS:
        results.add(SGD, seed, (0.8,), dataset={"label_noise": 0.0})
        results.add(SAM, seed, (0.7,), dataset={"label_noise": 0.4})
    with pytest.raises(Untestable, match="with the same data and model"):
        evidence(results, "better: {optimizer: sam}, than: {optimizer: sgd}")


def test_runs_of_other_lengths_may_be_compared(results: Results) -> None:
    for seed in SEEDS:
        results.add(SGD, seed, (0.5, 0.6, 0.7, 0.7))
        results.add(SAM, seed, (0.6, 0.75))
    found = evidence(results, "better: {optimizer: sam}, than: {optimizer: sgd}")
    assert (found.estimate, found.n) == (pytest.approx(0.05), 8)


def test_diverged_runs_count_as_the_worst(results: Results) -> None:
    for seed in SEEDS:
        results.add(SGD, seed, (0.5 + 0.01 * seed,))
        results.add(SAM, seed, (0.9,), status={"status": "diverged"} if seed == 3 else None)
    found = evidence(results, "better: {optimizer: sam}, than: {optimizer: sgd}")
    expected = [0.9 - (0.5 + 0.01 * seed) if seed != 3 else 0.5 - 0.53 for seed in SEEDS]
    check_interval(found, expected)


def test_seeds_that_one_side_lacks_are_left_out(results: Results) -> None:
    for seed in SEEDS:
        results.add(SGD, seed, (0.5,))
        if seed > 1:
            results.add(SAM, seed, (0.6 + 0.01 * seed,))
    assert evidence(results, "better: {optimizer: sam}, than: {optimizer: sgd}").n == 6


def test_seconds_are_those_of_the_whole_training(results: Results) -> None:
    """Twice as long an epoch for half the epochs is no longer; Results' first epoch takes ten times as long."""
    for seed in SEEDS:
        results.add(SGD, seed, [0.5] * 4, seconds=1.0)
        results.add(SAM, seed, [0.5] * 2, seconds=2.0)
    found = evidence(results, "ratio_of: {optimizer: sam}, to: {optimizer: sgd}, metric: train_seconds, below: 2.5")
    assert found.estimate == pytest.approx(22.0 / 13.0, rel=1e-12)


@pytest.mark.parametrize(
    ("long", "short"),
    [
        ({"warmup_epochs": 2.0}, {"warmup_epochs": 1.0}),  # as equal_compute stretches them
        ({"warmup_epochs": 1.0}, {"warmup_epochs": 1.0}),  # as they were written out
        ({"name": "multi-step", "milestones": [2, 3]}, {"name": "multi-step", "milestones": [1, 2]}),
    ],
)
def test_runs_of_other_lengths_have_the_same_schedule(results: Results, long: Any, short: Any) -> None:
    for seed in SEEDS:
        results.add(SGD, seed, [0.7] * 4, schedule=long)
        results.add(SAM, seed, [0.75] * 2, schedule=short)
    assert evidence(results, "better: {optimizer: sam}, than: {optimizer: sgd}").n == 8


def test_levels_of_a_stretched_schedule_stay_apart(results: Results) -> None:
    for seed in SEEDS:
        for warmup, score in ((0.0, 0.6), (1.0, 0.5)):
            results.add(SGD, seed, [score] * 4, schedule={"warmup_epochs": 2 * warmup})
            results.add(SAM, seed, [score + 0.1] * 2, schedule={"warmup_epochs": warmup})
    found = evidence(results, "better: {optimizer: sam}, than: {optimizer: sgd}")
    assert (found.estimate, found.n) == (pytest.approx(0.1), 8)


def test_options_that_come_with_a_name_do_not_keep_two_apart(results: Results) -> None:
    for seed in SEEDS:
        results.add(SGD, seed, (0.7,), schedule={"name": "constant"})
        results.add(SGD, seed, (0.8,), schedule={"name": "multi-step", "milestones": [1]})
        results.add(SGD, seed, (0.6,), schedule={"name": "constant"}, model={"name": "resnet", "depth": 8})
    schedules = "better: {schedule: multi-step, model: cnn}, than: {schedule: constant}"
    assert evidence(results, schedules).estimate == pytest.approx(0.1)
    models = "better: {model: cnn, schedule: constant}, than: {model: resnet}"
    assert evidence(results, models).estimate == pytest.approx(0.1)


WINE = {"name": "wine"}


@pytest.mark.parametrize(
    "text",
    [
        "best_of: optimizer.rho, among: {optimizer: sam}",
        "range_of: optimizer.rho, beats: {optimizer: sgd}, spans: 2",
    ],
)
def test_levels_are_means_over_the_same_data(results: Results, text: str) -> None:
    """The largest radius has run on the easier data set alone: its mean is no better for that."""
    for seed in SEEDS:
        for dataset, score in (({}, 0.5), (WINE, 0.9)):
            results.add(SGD, seed, (score,), dataset=dataset)
            for rho in (0.05, 0.1, 0.2):
                if dataset is WINE or rho < 0.2:
                    results.add({**SAM, "rho": rho}, seed, (score + 0.01,), dataset=dataset)
    with pytest.raises(Untestable, match=r"Not all values of optimizer\.rho have finished runs of the same data"):
        evidence(results, text)
    within_one = text.replace("among: {optimizer: sam}", "among: {optimizer: sam, dataset: wine}")
    if "among" in within_one:
        assert evidence(results, within_one).n == 8


def test_a_trend_is_over_the_same_data(results: Results) -> None:
    for seed in SEEDS:
        for dataset, lead in (({}, 0.0), (WINE, 0.2)):
            for noise in (0.0, 0.4) if dataset is WINE else (0.0,):
                results.add(SGD, seed, (0.5,), dataset={**dataset, "label_noise": noise})
                results.add(SAM, seed, (0.5 + lead,), dataset={**dataset, "label_noise": noise})
    with pytest.raises(Untestable, match=r"Not all values of dataset\.label_noise"):
        evidence(results, "lead_of: {optimizer: sam}, over: {optimizer: sgd}, grows_with: dataset.label_noise")


def test_data_with_other_scores_are_not_left_out_unsaid(results: Results) -> None:
    for seed in SEEDS:
        results.add(SGD, seed, (0.5,))
        results.add(SAM, seed, (0.6,))
        results.add(SGD, seed, (0.5,), metric="r2", dataset={"name": "diabetes"})
        results.add(SAM, seed, (0.3,), metric="r2", dataset={"name": "diabetes"})
    with pytest.raises(Untestable, match="different scores, accuracy and r2; name a metric, or the data of one"):
        evidence(results, "better: {optimizer: sam}, than: {optimizer: sgd}")
    one = evidence(results, "better: {optimizer: sam, dataset: diabetes}, than: {optimizer: sgd}")
    assert one.estimate == pytest.approx(-0.2)
    assert evidence(results, "better: {optimizer: sam}, than: {optimizer: sgd}, metric: test_loss").n == 8


def test_other_data_sets_do_not_correlate_as_one(results: Results) -> None:
    for seed in SEEDS:
        for dataset, score, sharpness in (({}, 0.5, 0.9), (WINE, 0.9, 0.1)):
            for rho in (0.05, 0.1):
                results.add({**SAM, "rho": rho}, seed, (score,), dataset=dataset, sharpness=sharpness + rho)
    with pytest.raises(Untestable, match="Runs of digits, cnn and wine, cnn do not correlate as one"):
        evidence(results, "correlated: [sharpness, test_loss]")


def test_diverged_runs_have_the_worst_loss(results: Results) -> None:
    for seed in SEEDS:
        results.add(SGD, seed, (0.5,))
        results.add(SAM, seed, (0.9,), status={"status": "diverged"} if seed == 3 else None)
    found = evidence(results, "better: {optimizer: sam}, than: {optimizer: sgd}, metric: test_loss")
    check_interval(found, [-0.4 if seed != 3 else 0.0 for seed in SEEDS])


def test_the_interval_of_an_optimum_is_not_that_of_a_lead(table: tuple[Results, Any, Any]) -> None:
    found = evidence(table[0], "best_of: optimizer.rho")
    assert (found.low, found.high) == (None, None)


def test_an_average_against_runs_of_before_there_were_averages(results: Results) -> None:
    for seed in range(6):
        results.add(SGD, seed, (0.7 + 0.01 * seed,))
        results.add({**SGD, "average": "ema"}, seed, (0.75 + 0.01 * seed,))
    sides = "{optimizer: sgd, optimizer.average: ema}, than: {optimizer: sgd, optimizer.average: null}"
    found = evidence(results, f"better: {sides}")
    assert found.n == 6
    assert found.estimate == pytest.approx(0.05)
    assert found.words.startswith("average=ema - average=null: +5.00 points")


def test_servers_are_compared_though_only_one_has_a_share_of_rounds(results: Results) -> None:
    values = np.random.default_rng(1).normal(0.7, 0.01, size=(2, len(SEEDS)))
    for server, swa_from, row in (("average", None, values[0]), ("swa", 0.75, values[1])):
        for seed in SEEDS:
            block = {"clients": 9, "alpha": 0.1, "server": server, "swa_from": swa_from, "server_momentum": None}
            results.add(SGD, seed, (row[seed],), federated=block)
    found = evidence(results, "better: {federated.server: swa}, than: {federated.server: average}")
    check_interval(found, values[1] - values[0])


def test_runs_of_an_earlier_version_are_seeds_like_the_others(results: Results) -> None:
    """They lack options that came later, of the data set and of all runs, and have their defaults."""
    generator, values = np.random.default_rng(1), []
    for seed in SEEDS:
        later: dict[str, Any] = {} if seed < 3 else {"labels": "given", "patience": None}
        dataset = {"label_noise": 0.4} if seed < 3 else {"label_noise": 0.4, "label_noise_kind": "symmetric"}
        one, other = generator.uniform(0.5, 0.9, 2)
        results.add({"average": None, **SGD} if seed > 5 else SGD, seed, (one,), dataset=dataset, **later)
        results.add(SAM, seed, (other,), dataset=dataset, **later)
        values.append(other - one)
    text = "better: {optimizer: sam, patience: null}, than: {optimizer: sgd, optimizer.average: null, patience: null}"
    check_interval(evidence(results, text), np.array(values))
    named = text.replace("patience: null}, than", "patience: null, dataset.label_noise_kind: symmetric}, than")
    check_interval(evidence(results, named), np.array(values))


@pytest.mark.parametrize(("bound", "held"), [("above: 0.5", True), ("below: 0.5", False), ("above: 0.99", False)])
def test_a_mean_against_a_number(table: tuple[Results, Any, Any], bound: str, held: bool) -> None:
    """Such as one that theory gives; over all three levels of noise where none is named."""
    results, sgd, sam = table
    found = evidence(results, f"mean_of: {{optimizer: sam, optimizer.rho: 0.1}}, metric: test_accuracy, {bound}")
    values = sam[:, 1].mean(0)
    check_interval(found, values)
    number = float(bound.partition(": ")[2])
    expected = sign_flip(list(values - number))
    assert (found.p_held == pytest.approx(expected)) is held
    assert (found.p_contradicted == pytest.approx(expected)) is not held
    low = evidence(results, f"mean_of: {{optimizer: sgd, dataset.label_noise: 0.4}}, metric: test_accuracy, {bound}")
    check_interval(low, sgd[2])


def test_a_measure_is_called_by_its_name_where_runs_have_recorded_it(results: Results) -> None:
    """Its column has underscores."""
    values = []
    for seed in SEEDS:
        values.append(1.0 + 0.1 * seed)
        folder = results.add(SGD, seed, (0.8,))
        rows = [row | {"lambda_max": values[-1]} for row in folder.read_metrics()]
        folder.write_metrics(rows)
    for metric in ("lambda-max", "lambda_max"):
        found = evidence(results, f"mean_of: {{optimizer: sgd}}, metric: {metric}, below: 9.0")
        check_interval(found, np.array(values))
    assert with_metric("lambda-max", results.runs())[0] == "lambda_max"


def test_a_correlation_with_a_setting_held_fixed(table: tuple[Results, Any, Any]) -> None:
    """Over noise and radii sharpness rises as accuracy falls; at each level of noise it does so among radii too."""
    results, _, _ = table
    text = "correlated: [sharpness, test_accuracy], tau: '< -0.5', among: {optimizer: sam}"
    found = evidence(results, f"{text}, holding: dataset.label_noise")
    assert (found.estimate, found.n) == (pytest.approx(-1.0), len(SEEDS))
    with pytest.raises(Untestable, match="No seed has 4 settings"):
        evidence(results, f"{text}, holding: [optimizer.rho, dataset.label_noise]")
    with pytest.raises(Untestable, match=r"No seed has 4 .* beside others of the same optimizer\.rho"):
        evidence(results, f"{text.replace('sam}', 'sam, dataset.label_noise: 0.2}')}, holding: rho")
    short, full = (evidence(results, f"{text}, holding: {key}") for key in ("rho", "optimizer.rho"))
    assert short == full
