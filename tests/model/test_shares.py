"""What suits a machine that nobody described: from a small board to a large server."""

from wherry.model import shares
from wherry.model.shares import GB, MB


def test_builds_get_half_of_the_machine_and_never_too_little_to_install_anything() -> None:
    assert shares.build_memory(0, 4 * GB) == 2 * GB
    assert shares.build_memory(0, 300 * MB) == 256 * MB
    assert shares.build_memory(100, 4 * GB) == 100 * MB


def test_compilers_may_start_some_processes_for_each_processor() -> None:
    assert [shares.build_pids(0, processors) for processors in (1, 2, 16)] == [384, 512, 2304]
    assert shares.build_pids(1000, 2) == 1000


def test_a_small_machine_builds_one_at_a_time_and_a_large_one_more() -> None:
    assert shares.builds(0, 512 * MB, 1) == shares.builds(0, 4 * GB, 2) == shares.builds(0, 64 * GB, 2) == 1
    assert shares.builds(0, 32 * GB, 8) == 4
    assert shares.builds(3, 512 * MB, 1) == 3


def test_a_build_of_a_small_machine_needs_little_to_start() -> None:
    assert shares.build_needs(0, 512 * MB) == 64 * MB
    assert shares.build_needs(0, 64 * GB) == 512 * MB


def test_a_twentieth_of_the_disk_stays_free_within_bounds() -> None:
    assert [shares.disk_reserve(0, size * GB) // MB for size in (2, 20, 500)] == [256, 1024, 2048]
    assert shares.disk_reserve(100, GB) == 100 * MB


def test_images_may_take_half_of_the_disk() -> None:
    assert (shares.disk_budget(0, 20 * GB), shares.disk_budget(700, 20 * GB)) == (10 * GB, 700 * MB)


def test_a_program_in_a_build_is_told_to_be_thrifty_only_where_there_is_little() -> None:
    assert shares.little_heap(2048 * MB, 0) == 0
    assert shares.little_heap(256 * MB, 0) == 160
    assert shares.little_heap(256 * MB, 1024 * MB) == 416
    assert shares.little_heap(100 * MB, 0) == 64
