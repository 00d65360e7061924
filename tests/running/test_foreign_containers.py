"""What Wherry did not make is not seen, not stopped, not removed: a stranger's container lives through everything."""

import pytest
from testcontainers.core.container import DockerContainer

from engine_support import docker_engine, sweep
from wherry.running import docker_client, labels

pytestmark = pytest.mark.engine


def test_a_strangers_container_is_never_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
    with docker_engine("strange") as (engine, image), DockerContainer(image).with_kwargs(labels={labels.APP: "shop"}) as stranger:
        engine.remove_one_offs()
        sweep(docker_client.client(), engine.platform)
        assert engine.observe() == []
        stranger.get_wrapped_container().reload()
        assert stranger.get_wrapped_container().status == "running"
