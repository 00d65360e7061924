"""Java apps: what is decided about them, and real ones built by Maven, served and broken on a real engine."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import building_support as support
from served_app import printed, served
from wherry.building import plan
from wherry.building.buildpack import load_all
from wherry.building.memory_builder import MemoryBuilder
from wherry.errors import DeployFailed

if TYPE_CHECKING:
    from conftest import Bench

POM = "<project>{}</project>"
SPRING = "<artifactId>spring-boot-starter-web</artifactId>"
MAIN = "src/main/java/Shop.java"
WRAPPER = ".mvn/wrapper/maven-wrapper.properties"


def wrapper(version: str) -> str:
    return f"distributionUrl=https\\://example.org/maven2/org/apache/maven/apache-maven/{version}/apache-maven-{version}-bin.zip\n"


def heading(folder: Path, files: support.Files) -> str:
    lines: list[str] = []
    MemoryBuilder(support.PACKS).build(support.push(folder, {"Procfile": "web: x\n", **files}), lines.append)
    return next(line for line in lines if line.startswith("-----> Java"))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"pom.xml": POM.format("")}, "-----> Java 21 (pom.xml; the default version)"),
        (
            {"pom.xml": POM.format("<java.version>17</java.version>"), "system.properties": "java.runtime.version=25\r\n"},
            "-----> Java 25 (pom.xml; version from system.properties)",
        ),
        (
            {"pom.xml": POM.format("<maven.compiler.release>17</maven.compiler.release>")},
            "-----> Java 17 (pom.xml; version from pom.xml)",
        ),
        ({"pom.xml": POM.format("<java.version>1.8</java.version>")}, "-----> Java 21 (pom.xml; pom.xml asks for 8 or later)"),
        ({"pom.xml": POM.format("<maven.compiler.source>11</maven.compiler.source>")}, "-----> Java 11 (pom.xml; version from pom.xml)"),
    ],
)
def test_the_heading_names_the_version_and_who_asked_for_it(files: support.Files, expected: str, tmp_path: Path) -> None:
    assert heading(tmp_path, files) == expected


def test_a_version_that_is_not_offered_is_refused_with_those_that_are(tmp_path: Path) -> None:
    files = {"pom.xml": POM.format(""), "system.properties": "java.runtime.version=1.8\n", "Procfile": "web: x\n"}
    with pytest.raises(DeployFailed) as refused:
        MemoryBuilder(support.PACKS).build(support.push(tmp_path, files), [].append)
    assert refused.value.message == "Java 8, which system.properties asks for, is not offered: 11, 17, 21, 25 are"


@pytest.mark.parametrize(
    ("inside", "command", "what"),
    [
        (SPRING, "java $JAVA_OPTS -jar target/*.jar --server.port=$PORT", "Spring Boot in pom.xml"),
        ("<mainClass>Shop</mainClass>", "java $JAVA_OPTS -jar target/*.jar", "a main class in pom.xml"),
    ],
)
def test_a_jar_that_can_be_started_needs_no_procfile(inside: str, command: str, what: str, tmp_path: Path) -> None:
    found = plan.plan(support.tree(tmp_path, {"pom.xml": POM.format(inside)}), load_all(support.PACKS), [].append)
    assert found.processes == {"web": command}
    assert plan.notes(found) == [f"       no Procfile; {what}, so web: {command}"]


@pytest.mark.parametrize("name", ["build.gradle", "build.gradle.kts"])
def test_a_gradle_build_is_refused_in_plain_words(name: str, tmp_path: Path) -> None:
    with pytest.raises(DeployFailed) as refused:
        plan.plan(support.tree(tmp_path, {name: "", "gradlew": ""}), load_all(support.PACKS), [].append)
    assert (refused.value.code, refused.value.message) == ("not_ready", f"{name} is there: Gradle builds are not offered")


def app(name: str) -> dict[str, str | bytes]:
    """The files of `data/apps/<name>`."""
    home = support.DATA / "apps" / name
    return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}


@pytest.mark.engine
def test_a_maven_app_is_built_and_served_without_compiler_and_maven_and_built_again_from_the_cache(bench: Bench, tmp_path: Path) -> None:
    name, files = bench.app("java"), app("java")
    built = bench.build(support.push(tmp_path, files, name))
    assert any(line.startswith("       no Procfile; a main class in pom.xml") for line in bench.lines)
    with served(built) as shop:
        assert json.loads(shop.get("/").text) == {"greeting": "hello", "certificates": True, "half": True}
        assert shop.stop()[0] < 25
    look = "id -un; command -v java; command -v javac mvn; touch here && ls target"
    assert printed(built, look) == "app\n/opt/java/bin/java\nclasses\nshop-1.0.jar\n"
    source = bytes(files[MAIN]).replace(b"hello", b"again")  # type: ignore[arg-type]
    began = time.monotonic()
    again = bench.build(support.push(tmp_path, {MAIN: source}, name))
    assert time.monotonic() - began < 60
    with served(again) as shop:
        assert json.loads(shop.get("/").text)["greeting"] == "again"


@pytest.mark.engine
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({MAIN: b"public class Shop { int x = ; }\n"}, f"{MAIN} line 1: illegal start of expression"),
        ({"pom.xml": ("2.11.0", "0.0.0")}, "no repository has com.google.code.gson:gson:jar:0.0.0"),
        ({"pom.xml": ("<modelVersion>", "<modelVersion")}, "pom.xml can not be read"),
        pytest.param(
            {"pom.xml": ("release>17<", "release>99<"), "system.properties": b"java.runtime.version=17\n"},
            "the code is for Java 99",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {
                "pom.xml": (
                    "<maven.compiler.release>17</maven.compiler.release>",
                    "<maven.compiler.source>5</maven.compiler.source><maven.compiler.target>5</maven.compiler.target>",
                )
            },
            "Maven's compiler plugin compiles for Java 5",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"pom.xml": ("<mainClass>Shop</mainClass>", "<mainClass/><!-- <mainClass> -->")},
            "there is no Procfile, and the build made no jar in target/ that can be started",
            marks=pytest.mark.slow,
        ),
    ],
    ids=[
        "a mistake in the code",
        "a dependency that nobody has",
        "a broken pom",
        "code for a newer Java",
        "code for a Java of long ago",
        "no jar to start",
    ],
)
def test_a_build_that_fails_says_why_in_a_sentence(changes: dict[str, Any], message: str, bench: Bench, tmp_path: Path) -> None:
    files = app("java")
    for name, change in changes.items():
        files[name] = bytes(files[name]).replace(*(part.encode() for part in change)) if isinstance(change, tuple) else change  # type: ignore[arg-type]
    with pytest.raises(DeployFailed) as refused:
        bench.build(support.push(tmp_path, files, bench.app("java-broken")))
    assert refused.value.message.startswith(message)
    assert refused.value.code not in ("build_failed", "build_refused")
    assert refused.value.hint
    assert refused.value.evidence
    assert not any("Re-run Maven" in line or line.strip() == "[ERROR]" for line in refused.value.evidence)


@pytest.mark.engine
@pytest.mark.slow
def test_a_spring_boot_app_is_served_within_a_small_instance(bench: Bench, tmp_path: Path) -> None:
    built = bench.build(support.push(tmp_path, app("spring"), bench.app("spring")))
    with served(built, memory=256) as greeter:
        assert greeter.get("/hello/you").text == "Hello, you"
        for _ in range(200):
            assert greeter.get("/hello/all").status == 200
        assert greeter.memory() < 230
        assert greeter.stop()[0] < 25


@pytest.mark.engine
@pytest.mark.slow
def test_the_wrapper_says_which_maven_builds(bench: Bench, tmp_path: Path) -> None:
    built = bench.build(support.push(tmp_path, {**app("java"), "mvnw": "exit 1\n", WRAPPER: wrapper("3.9.9")}, bench.app("java-wrapper")))
    assert f"       Maven 3.9.9, as {WRAPPER} says" in bench.lines
    with served(built) as shop:
        assert shop.get("/").status == 200


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.parametrize(
    ("properties", "code", "message"),
    [
        (wrapper("3.9.999"), "version_unavailable", f"there is no Maven 3.9.999, which {WRAPPER} asks for"),
        (
            f"{wrapper('3.9.9')}distributionSha256Sum={'0' * 64}\n",
            "dependencies_invalid",
            f"the Maven 3.9.9 that was fetched has another sum than distributionSha256Sum in {WRAPPER}",
        ),
    ],
)
def test_no_other_maven_than_the_wrappers_builds(properties: str, code: str, message: str, bench: Bench, tmp_path: Path) -> None:
    name = bench.app("java-wrapper")
    for attempt in "ab":
        files = {**app("java"), "mvnw": "exit 1\n", WRAPPER: properties, "attempt": attempt}
        with pytest.raises(DeployFailed) as refused:
            bench.build(support.push(tmp_path / attempt, files, name))
        assert (refused.value.code, refused.value.message) == (code, message)


@pytest.mark.engine
@pytest.mark.slow
def test_a_wrapper_that_names_no_maven_is_told(bench: Bench, tmp_path: Path) -> None:
    files = {**app("java"), "mvnw": "exit 1\n", WRAPPER: "distributionUrl=https\\://example.org/maven.zip\n"}
    bench.build(support.push(tmp_path, files, bench.app("java-wrapper")))
    assert any(line.startswith(f"       {WRAPPER} names no distributionUrl of a Maven") for line in bench.lines)
