"""`samcli list`."""

from command import Samcli


def test_everything(samcli: Samcli) -> None:
    called = samcli("list")
    assert called.code == 0
    for word in ("fashion-mnist", "image-folder:PATH", "torchvision:NAME", "asam", "multi-step", "lambda-max"):
        assert word in called.out
    assert called.err == ""


def test_one_kind(samcli: Samcli) -> None:
    called = samcli("list", "optimizers")
    for word in ("Foret", "ICLR", "2021", "lookbehind", "k + 1"):
        assert word in called.out
    assert "resnet20" not in called.out


def test_options_of_one(samcli: Samcli) -> None:
    called = samcli("list", "optimizers", "asam")
    for word in ("eta", "0.01", "rho", "momentum", "base"):
        assert word in called.out
    called = samcli("list", "datasets", "image-folder:x")
    assert "split_seed" in called.out
    assert samcli("list", "models", "linear").code == 0


def test_mistakes(samcli: Samcli) -> None:
    called = samcli("list", "optimizers", "smg")
    assert called.code == 2
    assert "There is no optimizer named 'smg'" in called.err
    called = samcli("list", "optimisers")
    assert called.code == 2
    assert "optimisers" in called.err


def test_a_list_that_there_is_not(samcli: Samcli) -> None:
    called = samcli("list", "optimizer", "sam")
    assert (called.code, called.out) == (2, "")
    assert "There is no list of 'optimizer'; type samcli list optimizers sam." in called.err
    assert "lists are datasets, models, optimizers" in samcli("list", "things").err
    assert "sam is one of the optimizers; type samcli list optimizers sam." in samcli("list", "sam").err
    assert "trace is one of the measures; type samcli list measures trace." in samcli("list", "trace").err
