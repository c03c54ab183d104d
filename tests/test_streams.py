import torch

from samcli.streams import stream, stream_seed


def test_seeds_are_fixed_for_all_time() -> None:
    # a changed value would silently change every split and order of every earlier run;
    # from `printf 0/order/1 | sha256sum`: the first 8 bytes, little-endian, halved
    assert stream_seed(0, "order", 1) == 4374215849138048446


def test_streams_differ_by_each_part_of_their_name() -> None:
    seeds = {stream_seed(s, p, e) for s in range(5) for p in ("order", "crop") for e in range(5)}
    assert len(seeds) == 50
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    torch.randn(3, generator=stream(0, "order"))
    assert torch.equal(before, torch.get_rng_state())
