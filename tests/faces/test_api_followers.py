"""What a follower of a log hears while nothing is said."""

from wherry.faces.api.followers import as_events


def test_it_hears_after_the_first_beat_that_nothing_was_said_yet_and_then_seldom() -> None:
    told = list(as_events(iter([None, None, "one", None])))
    assert told == [": following\n\n", ": still here\n\n", "data: one\n\n"]
