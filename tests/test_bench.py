"""What the benchmarks take from the platform is still there. They run too seldom to find out by themselves."""

from by_hand import one_dockerfile


def test_the_dockerfile_of_an_app_that_was_never_built_is_whole() -> None:
    text = one_dockerfile("wherry/python:3.11", "shop")
    assert text.startswith("FROM wherry/python:3.11-build AS deps\n")
    assert "COPY --chown=app:app app/ /app/" in text and "{{" not in text
