"""What may be a volume and where it may be mounted, one row per answer; and who may write to it."""

import pytest

from wherry.errors import Conflict, InvalidInput
from wherry.model.volume import Mount, check_path, check_types, check_writers, mounts_from_json, mounts_to_json, parse_mount, with_mount


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/:/data", "is a path of the host"),
        ("/etc:/data", "is a path of the host"),
        ("/var/run/docker.sock:/var/run/docker.sock", "is a path of the host"),
        ("../x:/data", "is a path of the host"),
        ("~/data:/data", "is a path of the host"),
        ("/data", "name the volume too, e.g. uploads:/data"),
        ("data", "say where it goes, e.g. data:/app/data"),
        ("data:", "say where it goes, e.g. data:/app/data"),
        ("Data:/data", "give 1-30 of a-z"),
        ("", "give 1-30 of a-z"),
        (f"{'d' * 31}:/data", "give 1-30 of a-z"),
        ("дата:/data", "give 1-30 of a-z"),
        ("data\n:/data", "give 1-30 of a-z"),
        ("data:data", "give an absolute path in the container"),
        ("data:/a/../etc", "give an absolute path in the container"),
        ("data:/a//b", "give an absolute path in the container"),
        ("data:/a b", "give an absolute path in the container"),
        ("data:/a\0", "give an absolute path in the container"),
        ("data:/data:ro", "say --read-only instead of :ro, e.g. data:/data --read-only"),
        ("data:/", "is the container's own"),
        ("data:/app", "is the container's own"),
        ("data:/app/", "is the container's own"),
        ("data:/etc", "is the container's own"),
        ("data:/proc/self", "is the container's own"),
        ("data:/var/run/docker.sock", "is the container's own"),
        (f"data:/{'a' * 300}", "up to 200 are taken"),
    ],
)
def test_what_is_no_volume_and_no_place_for_one_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        parse_mount(text)
    assert said in raised.value.message
    assert "\n" not in raised.value.message and raised.value.message.isprintable()


def test_a_path_of_the_host_is_refused_with_the_way_to_do_it_here() -> None:
    with pytest.raises(InvalidInput) as raised:
        parse_mount("/var/lib/dokku/data/storage/shop:/app/storage")
    assert raised.value.code == "host_path"
    assert "wherry storage:create shop uploads" in raised.value.message and "wherry storage:mount" in raised.value.hint


@pytest.mark.parametrize(
    "path", ["/data", "/app/uploads", "/app/public/uploads/", "/var/lib/app", "/usr/share/nginx/html", "/srv/@x_1.y+z"]
)
def test_a_folder_of_the_apps_own_is_taken(path: str) -> None:
    assert check_path(path) == path.rstrip("/")


def test_process_types_are_named_as_in_a_procfile() -> None:
    assert check_types(["worker", "web", "web"]) == ("web", "worker")
    with pytest.raises(InvalidInput, match="give names from your Procfile"):
        check_types(["web;id"])


DATA = Mount("data", "/data")


def test_the_same_mount_again_is_changed_and_no_other_may_lie_in_it() -> None:
    assert with_mount((DATA,), Mount("data", "/data", read_only=True)) == (Mount("data", "/data", read_only=True),)
    assert with_mount((DATA,), Mount("more", "/data2")) == (DATA, Mount("more", "/data2"))
    for path in ("/data", "/data/in"):
        with pytest.raises(Conflict, match="data is mounted at /data"):
            with_mount((DATA,), Mount("more", path))


def test_one_volume_may_be_written_to_here_and_read_there() -> None:
    writer, reader = Mount("data", "/data", types=("web",)), Mount("data", "/data", True, ("worker",))
    assert with_mount((writer,), reader) == (writer, reader)
    assert with_mount((writer, reader), DATA) == (DATA,)
    with pytest.raises(Conflict, match="data is mounted at /data in all processes"):
        with_mount((DATA,), reader)


def test_two_volumes_may_be_at_one_path_in_different_processes() -> None:
    web, worker = Mount("data", "/data", types=("web",)), Mount("more", "/data", types=("worker",))
    assert with_mount((web,), worker) == (web, worker)


def test_a_volume_of_one_writer_is_written_to_by_one_instance() -> None:
    check_writers("shop", (DATA,), set(), {"web": 1, "worker": 0})
    check_writers("shop", (DATA,), {"data"}, {"web": 3, "worker": 2})
    check_writers(
        "shop", (Mount("data", "/data", types=("web",)), Mount("data", "/data", True, ("worker",))), set(), {"web": 1, "worker": 5}
    )
    for quantities in ({"web": 2}, {"web": 1, "worker": 1}):
        with pytest.raises(Conflict, match="data is written to by one instance at a time") as raised:
            check_writers("shop", (DATA,), set(), quantities)
        assert raised.value.code == "one_writer"


def test_mounts_come_back_from_the_database_as_they_went() -> None:
    mounts = (DATA, Mount("more", "/more", True, ("web",)))
    assert mounts_from_json(mounts_to_json(mounts)) == mounts
