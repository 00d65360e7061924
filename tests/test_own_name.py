"""What people are told to type on a platform that has another name."""

import pytest

from wherry.own_name import in_own_name


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Start it: wherry ps:start shop", "Start it: trial ps:start shop"),
        ("wherry rollback", "trial rollback"),
        ("sudo wherry doctor, or wherry ps.", "sudo trial doctor, or trial ps."),
        ("usage: wherry COMMAND [APP]", "usage: trial COMMAND [APP]"),
        ("(wherry ps:restart wherry)", "(trial ps:restart wherry)"),
        ("curl … | wherry git:from-archive APP -", "curl … | trial git:from-archive APP -"),
    ],
)
def test_a_command_is_called_as_the_platform_is(text: str, told: str) -> None:
    assert in_own_name(text, "trial") == told
    assert in_own_name(text, "wherry") == text


@pytest.mark.parametrize(
    "text",
    [
        "Push first: git push wherry main",
        "git remote add wherry ssh://wherry@host:2222/shop",
        "git remote set-url wherry ssh://wherry@host:2222/store",
        "Look at it: git fetch wherry",
        "Interactive login is off. Try: ssh wherry@host help",
        "/var/lib/wherry is full",
        "example.org/wherry ps",
    ],
)
def test_remotes_logins_and_folders_keep_their_name(text: str) -> None:
    assert in_own_name(text, "trial") == text


def test_what_somebody_else_said_keeps_every_byte() -> None:
    text = "shop is locked: wherry ps hangs. Unlock it: wherry apps:unlock shop"
    assert in_own_name(text, "trial", ["wherry ps hangs"]) == "shop is locked: wherry ps hangs. Unlock it: trial apps:unlock shop"
    assert in_own_name("wherry ps and wherry ps", "trial", ["", "wherry ps"]) == "wherry ps and wherry ps"


@pytest.mark.parametrize("word", ["app", "a", "unlock", "apps:unlock"])
def test_a_word_of_somebody_else_s_that_is_in_ours_too_changes_nothing(word: str) -> None:
    assert in_own_name("Unlock it: wherry apps:unlock shop", "trial", [word]) == "Unlock it: trial apps:unlock shop"
