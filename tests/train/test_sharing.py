"""What several processes cannot share is refused before the first run, and what a user should know is said."""

from pathlib import Path

import pytest
import torch
from small_run import MakeConfig

from samcli.errors import ConfigError
from samcli.train.session import Session
from samcli.train.sharing import check_sharing, sharing, tell_of_ranks

pytestmark = pytest.mark.skipif(not torch.distributed.is_available(), reason="torch is built without torch.distributed")

TEXT = "{dataset: {name: digits, train_examples: 100}, model: cnn, batch_size: 32, optimizer: {name: sam, rho: 0.1}}"


def test_the_setting_makes_another_run_only_where_it_is_set(config_of: MakeConfig) -> None:
    plain, synchronised = config_of(text=TEXT), config_of("sync_batch_norm=true", text=TEXT)
    assert plain.identity != synchronised.identity
    assert plain.identity == config_of("sync_batch_norm=false", text=TEXT).identity


def test_continued_with_another_number_of_processes_says_so(config_of: MakeConfig, tmp_path: Path) -> None:
    config, notices = config_of(text=TEXT), list[str]()
    session = Session(config, data_dir=tmp_path, device=torch.device("cpu"), sharing=sharing(config, 1))
    session.rows.append({"epoch": 1, "train_loss": 0.5})
    tell_of_ranks(session, {"processes": 2}, notices.append)
    assert notices == ["Its epochs so far were trained with processes: 2, the next ones are with 1."]
    tell_of_ranks(session, {}, notices.append)
    assert len(notices) == 1


@pytest.mark.parametrize(("synchronised", "said"), [("false", 1), ("true", 0)])
def test_batch_norm_that_is_not_synchronised_is_told(
    config_of: MakeConfig, tmp_path: Path, synchronised: str, said: int
) -> None:
    config, notices = config_of("model=resnet20", f"sync_batch_norm={synchronised}", text=TEXT), list[str]()
    session = Session(config, data_dir=tmp_path, device=torch.device("cpu"), sharing=sharing(config, 2))
    tell_of_ranks(session, {}, notices.append)
    assert len(notices) == said
    assert all("with --set sync_batch_norm=true they are, up to rounding" in notice for notice in notices)


@pytest.mark.parametrize(
    ("assignment", "device", "words"),
    [
        ("batch_size=1", "cpu", "A batch of 1 cannot be shared by 2 processes; take a larger --batch-size"),
        ("optimizer.rho=0.1", "mps", "not on mps; use --device cpu"),
        ("optimizer.rho=0.1", "cuda:0", "2 processes need as many GPUs, and --device cuda:0 has 1; use fewer"),
    ],
)
def test_what_cannot_be_shared_is_refused(config_of: MakeConfig, assignment: str, device: str, words: str):
    runs = [config_of(assignment, text=TEXT)]
    check_sharing(runs, 1, torch.device(device))
    with pytest.raises(ConfigError, match=words):
        check_sharing(runs, 2, torch.device(device))
