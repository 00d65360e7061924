"""Why a registry gave no image, in one sentence that a person can act on."""

import pytest

from wherry.building.registry_failure import unreachable


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ('failed to do request: Head "https://r.io/v2/a": dial tcp: lookup r.io on 10.0.0.53:53: no such host', "no such host"),
        ('Get "https://r.io/v2/": dial tcp 192.0.2.1:443: connect: connection refused', "connection refused"),
        ('Get "https://r.io/v2/": x509: certificate signed by unknown authority', "certificate signed by unknown authority"),
    ],
)
def test_the_reason_is_told_and_the_rest_is_evidence(said: str, reason: str) -> None:
    failed = unreachable("r.io", said)
    assert (failed.message, failed.code) == (f"r.io can not be reached: {reason}", "registry_unreachable")
    assert failed.evidence == (said,)


def test_a_reason_alone_needs_no_evidence() -> None:
    assert (unreachable("r.io", "EOF").message, unreachable("r.io", "EOF").evidence) == ("r.io can not be reached: EOF", ())
