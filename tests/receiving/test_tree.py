"""Trees that can not become an image, by what git lists of them."""

import pytest

from wherry.errors import InvalidInput
from wherry.receiving.tree import LARGEST_TREE, MOST_FILES, Entry, check, entries


def file(path: bytes, size: int = 10, mode: str = "100644") -> Entry:
    return Entry(mode, "a" * 40, size, path)


READ = [Entry("100644", "a" * 40, 12, b"a b\tc\n.txt"), Entry("160000", "b" * 40, 0, b"lib")]


def no_pointers(_: list[Entry]) -> list[bytes]:
    return []


def test_a_listing_of_git_is_read() -> None:
    listing = b"100644 blob " + b"a" * 40 + b"      12\ta b\tc\n.txt\x00" + b"160000 commit " + b"b" * 40 + b"       -\tlib\x00"
    for size in (1, 7, 1000):
        pieces = [listing[start : start + size] for start in range(0, len(listing), size)]
        assert list(entries(pieces)) == READ


def test_a_plain_tree_passes() -> None:
    check([file(b"app.py"), file("caf\u00e9/\u2603.txt".encode()), file(b".gitattributes")], no_pointers)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([], "the commit has no files. Add some"),
        ([file(b"caf\xe9.txt")], r"UTF-8 without control characters: caf\xe9.txt. Rename with: git mv"),
        ([file(b"new\nline")], r"UTF-8 without control characters: new\nline."),
        ([file(b"\x1b[2J")], r"control characters: \x1b[2J."),
        ([file(f"s{n}\n".encode()) for n in range(5)], r"characters: s0\n, s1\n, s2\n and 2 more"),
        ([file(b"big", LARGEST_TREE + 1)], "4.0 GB of files; at most 4 GB"),
    ],
)
def test_a_tree_is_refused_with_what_and_how_to_mend_it(found: list[Entry], says: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        check(found, no_pointers)
    assert says in str(refusal.value)
    assert str(refusal.value).isprintable()


def test_an_archive_without_files_is_not_told_of_git() -> None:
    with pytest.raises(InvalidInput, match=r"^it has no files\. Pack the app's folder once more\.$"):
        check([], no_pointers, "it")


def test_submodules_are_handed_to_whoever_fetches_them() -> None:
    assert [link.path for link in check([file(b"a"), file(b"lib/x", mode="160000")], no_pointers)] == [b"lib/x"]


def test_too_many_files_are_counted() -> None:
    read = iter(file(b"f") for _ in range(2 * MOST_FILES))
    with pytest.raises(InvalidInput, match="more than 500,000 files, the most that is accepted"):
        check(read, no_pointers)
    assert len(list(read)) == MOST_FILES - 1


def test_pointers_are_looked_for_only_where_there_are_attributes() -> None:
    asked: list[int] = []

    def pointers(small: list[Entry]) -> list[bytes]:
        asked.append(len(small))
        return [b"model.bin"]

    check([file(b"model.bin", 130)], pointers)
    assert asked == []
    with pytest.raises(InvalidInput, match=r"only its pointers were pushed: model\.bin"):
        check([file(b"model.bin", 130), file(b"data/.gitattributes"), file(b"other.bin", 5000)], pointers)
    assert asked == [1]
