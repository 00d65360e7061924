"""Ruby apps: what is decided about them, and real ones whose gems come from a gem server on this machine.

RubyGems is not asked: the server has Sinatra, Puma and what they need, made of the distribution's packages, and a gem in C.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import building_support as support
from gem_server import Served, folder_served, lock, make_gems
from served_app import printed, served
from wherry.building import plan
from wherry.building.buildpack import load_all
from wherry.building.explain import known
from wherry.building.memory_builder import MemoryBuilder
from wherry.building.versions import choose, wish
from wherry.errors import DeployFailed
from wherry.secret import Secret

if TYPE_CHECKING:
    from conftest import Bench

RACK = {"config.ru": "run App\n"}
RAILS = {"config/application.rb": "class Application < Rails::Application\nend\n", "Rakefile": ""}
PUMA_LOCK = "GEM\n  specs:\n    puma (6.4.2)\n"
CONFIG = (support.DATA / "apps" / "sinatra" / "config.ru").read_text("utf-8")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "-----> Ruby 3.4 (Gemfile.lock; the default version)"),
        ({".ruby-version": "ruby-3.3.6\n"}, "-----> Ruby 3.3.6 (Gemfile.lock; version from .ruby-version)"),
        ({".ruby-version": "3.2\n"}, "-----> Ruby 3.2 (Gemfile.lock; version from .ruby-version)"),
        ({"Gemfile": "ruby '3.3.4'\n"}, "-----> Ruby 3.3.4 (Gemfile.lock; version from Gemfile)"),
        ({"Gemfile": 'ruby "~> 3.1"\n'}, "-----> Ruby 3.4 (Gemfile.lock; version from Gemfile)"),
        ({"Gemfile": 'ruby "~> 3.2.0"\n'}, "-----> Ruby 3.2 (Gemfile.lock; version from Gemfile)"),
        (
            {"Gemfile.lock": f"{PUMA_LOCK}\nRUBY VERSION\n   ruby 3.2.2p53\n"},
            "-----> Ruby 3.2.2 (Gemfile.lock; version from Gemfile.lock)",
        ),
    ],
)
def test_the_heading_names_the_version_and_who_asked_for_it(files: support.Files, expected: str, tmp_path: Path) -> None:
    lines: list[str] = []
    pushed = {"Procfile": "web: x\n", "Gemfile": "", "Gemfile.lock": PUMA_LOCK, **files}
    MemoryBuilder(support.PACKS).build(support.push(tmp_path, pushed), lines.append)
    assert lines[0] == expected


def test_a_patch_version_that_is_no_version_is_refused(tmp_path: Path) -> None:
    pack = next(pack for pack in load_all(support.PACKS) if pack.name == "ruby")
    with pytest.raises(DeployFailed, match=r'\.ruby-version line 1: "jruby-9.4" is not a version'):
        wish(support.tree(tmp_path, {".ruby-version": "jruby-9.4\n"}), pack)


def test_a_version_that_is_not_offered_is_told_with_the_line_that_asks_for_one_that_is(tmp_path: Path) -> None:
    pack = next(pack for pack in load_all(support.PACKS) if pack.name == "ruby")
    with pytest.raises(DeployFailed) as refused:
        choose(wish(support.tree(tmp_path, {"Gemfile": "ruby '3.2.2'\n"}), pack), "3.1", ["3.1"], pack.title)
    assert refused.value.message == "Ruby 3.2.2, which Gemfile asks for, is not offered: 3.1 is"
    assert refused.value.hint == 'Ask for this one in Gemfile, e.g. ruby "~> 3.1.0", or build with a Dockerfile.'


def test_an_address_that_serves_no_gems_is_told_apart_from_one_that_does_not_answer() -> None:
    pack = next(pack for pack in load_all(support.PACKS) if pack.name == "ruby")
    retried = "Retrying fetcher due to error (3/3): Bundler::HTTPError Could not fetch specs from {0} due to underlying error <{1}>\n"
    printed = retried + "Could not fetch specs from {0} due to underlying error\n<{1}>\n"
    absent = printed.format("http://gems.example.org/x/", "bad response Not Found 404 (http://gems.example.org/x/specs.4.8.gz)")
    away = printed.format("http://gems.example.org/x/", "Errno::ECONNREFUSED: Failed to open TCP connection")
    told = [known(pack.failures, pack.plans[0], text) for text in (absent, away)]
    assert [found and (found[0], found[2]) for found in told] == [
        ("http://gems.example.org/x/ serves no gems: it answers 404", "dependencies_invalid"),
        ("the gem server could not be reached", "registry_unreachable"),
    ]


@pytest.mark.parametrize(
    ("files", "gems", "command"),
    [
        (RACK, "puma (6.4.2)", "bundle exec puma -b tcp://0.0.0.0:$PORT config.ru"),
        (RACK, "webrick (1.8.1)", "bundle exec rackup --server webrick --host 0.0.0.0 --port $PORT"),
        ({**RACK, **RAILS}, "puma (6.4.2)", "bundle exec rails server -b 0.0.0.0 -p $PORT"),
    ],
)
def test_a_rack_or_rails_app_needs_no_procfile(files: support.Files, gems: str, command: str, tmp_path: Path) -> None:
    tree = support.tree(tmp_path, {**files, "Gemfile": "", "Gemfile.lock": f"GEM\n  specs:\n    {gems}\n"})
    assert plan.plan(tree, load_all(support.PACKS), [].append).processes == {"web": command}


SECRET = f"secret_key_base: {'0a' * 64}\n"


@pytest.mark.parametrize(
    ("more", "config", "made"),
    [
        ({}, "", True),
        ({}, "SECRET_KEY_BASE", False),
        ({"config/credentials.yml.enc": "x"}, "", True),
        ({"config/credentials.yml.enc": "x"}, "RAILS_MASTER_KEY", False),
        ({"config/credentials.yml.enc": "x", "config/master.key": "x"}, "", False),
        ({"config/secrets.yml": f"test:\n  {SECRET}\nproduction:\n  secret_key_base: <%= ENV['SECRET_KEY_BASE'] %>\n"}, "", True),
        ({"config/secrets.yml": f"production:\n  # old\n\n  a: b\n  {SECRET}"}, "", False),
        ({"config/secrets.yml": f"production:\n  a: b\ntest:\n  {SECRET}"}, "", True),
        ({"config/application.rb": "class Application\nend\n"}, "", False),
    ],
)
def test_rails_gets_its_secret_unless_it_has_one(more: support.Files, config: str, made: bool, tmp_path: Path) -> None:
    kept: dict[str, Secret] = {}
    lines: list[str] = []

    def keep(secrets: dict[str, Secret]) -> dict[str, Secret]:
        kept.update(secrets)
        return secrets

    builder = MemoryBuilder()
    source = support.push(tmp_path, {**RAILS, "Gemfile": "", "Gemfile.lock": PUMA_LOCK, "Procfile": "web: x\n", **more})
    builder.build(dataclasses.replace(source, config={config: Secret("x")} if config else {}, keep=keep), lines.append)
    told = "SECRET_KEY_BASE set: 128 random hex digits, kept from now on (Rails signs sessions and cookies with it)"
    assert (sorted(kept), f"       {told}" in lines) == ((["SECRET_KEY_BASE"], True) if made else ([], False))
    assert made is (builder.built[0].config.get("SECRET_KEY_BASE", Secret("x")) != Secret("x"))


@pytest.mark.parametrize(
    ("more", "config", "warned"),
    [
        ({}, "", ""),
        ({}, "RAILS_MASTER_KEY", "SECRET_KEY_BASE"),
        ({"config/credentials.yml.enc": "x"}, "", "RAILS_MASTER_KEY"),
        ({"config/credentials.yml.enc": "x"}, "RAILS_MASTER_KEY", ""),
    ],
)
def test_a_secret_that_rails_does_not_start_without_is_named(more: support.Files, config: str, warned: str, tmp_path: Path) -> None:
    lines: list[str] = []
    tree = support.tree(tmp_path, {**RAILS, "Gemfile": "", "Gemfile.lock": PUMA_LOCK, **more})
    plan.plan(tree, load_all(support.PACKS), lines.append, None, {config: Secret("x")} if config else {})
    assert re.findall(r"(?<=config var )[A-Z_]+", "\n".join(lines)) == [warned][: bool(warned)]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"Gemfile": ""}, "Gemfile is there, Gemfile.lock is not"),
        (RACK, "config.ru is there, but nothing says what it depends on"),
        (
            {**RACK, "Gemfile": "", "Gemfile.lock": ""},
            "config.ru is a Rack app without a Procfile, and puma is not among its dependencies",
        ),
        ({"Gemfile": "", "Gemfile.lock": ""}, "there is no Procfile, and no web process was recognised"),
    ],
)
def test_an_app_that_lacks_something_is_told_what(files: support.Files, message: str, tmp_path: Path) -> None:
    with pytest.raises(DeployFailed) as refused:
        plan.plan(support.tree(tmp_path, files), load_all(support.PACKS), [].append)
    assert refused.value.message == message
    assert refused.value.hint


@pytest.fixture(scope="module")
def builder_image(bench: Bench) -> str:
    pack = next(pack for pack in load_all(support.PACKS) if pack.name == "ruby")
    return bench.builder.stacks.image(pack, bench.builder.stacks.default_version(pack), print) + "-build"


@pytest.fixture(scope="module")
def gems(builder_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("gems")
    make_gems(builder_image, support.DATA / "gems", folder)
    with folder_served(folder) as server:
        yield server


@pytest.mark.engine
def test_a_sinatra_app_with_a_gem_in_c_is_served_by_puma(bench: Bench, gems: Served, builder_image: str, tmp_path: Path) -> None:
    gemfile = f'source "{gems.url}"\ngem "sinatra"\ngem "puma"\ngem "quick"\n'
    files = {"Gemfile": gemfile, "Gemfile.lock": lock(builder_image, gemfile, tmp_path / "lock"), "config.ru": CONFIG}
    name = bench.app("sinatra")
    built = bench.build(support.push(tmp_path / "app", files, name))
    assert "       no Procfile; Rack in config.ru, so web: bundle exec puma -b tcp://0.0.0.0:$PORT config.ru" in bench.lines
    assert any(line.startswith("       installed 10 packages in ") for line in bench.lines)
    with served(built) as shop:
        assert shop.get("/").text == "42 production"
        assert shop.stop()[0] < 25
    assert (
        printed(built, "id -un; command -v gcc git; ls -d /gems/gems/q*; touch /gems/x 2>/dev/null || echo kept")
        == "app\n/gems/gems/quick-1.0.0\nkept\n"
    )
    again = bench.build(support.push(tmp_path / "app", {"config.ru": CONFIG.replace("Quick.answer", "7")}, name))
    assert "       dependencies unchanged, reused" in bench.lines
    with served(again) as shop:
        assert shop.get("/").text == "7 production"


@pytest.mark.engine
def test_assets_are_made_in_the_build_where_there_is_a_task_for_them(
    bench: Bench, gems: Served, builder_image: str, tmp_path: Path
) -> None:
    gemfile = f'source "{gems.url}"\ngem "rake"\n'
    task = "task 'assets:precompile' do\n  mkdir_p 'public'\n"
    task += "  File.write('public/made', ENV.values_at('RAILS_ENV', 'COLOUR').join(' '))\nend\n"
    files = {"Gemfile": gemfile, "Gemfile.lock": lock(builder_image, gemfile, tmp_path / "lock"), "Rakefile": task}
    source = support.push(tmp_path / "app", {**files, "Procfile": "web: x\n"}, bench.app("assets"))
    built = bench.build(dataclasses.replace(source, config={"COLOUR": Secret("red")}))
    assert any(line.startswith("       assets made by rake assets:precompile in ") for line in bench.lines)
    assert printed(built, "cat public/made; stat -c ' %U' public/made; echo ${COLOUR-unset}") == "production red app\nunset\n"
    broken = support.push(tmp_path / "app", {"Rakefile": "task('assets:precompile') { raise LoadError, 'no such library' }\n"}, source.app)
    with pytest.raises(DeployFailed) as refused:
        bench.build(broken)
    assert refused.value.message == "the assets could not be made: LoadError: no such library"


@pytest.mark.engine
def test_a_gem_of_the_apps_own_folder_is_found_where_it_runs(bench: Bench, gems: Served, builder_image: str, tmp_path: Path) -> None:
    spec = 'Gem::Specification.new("mine", "0.1") { |s| s.summary = "x"; s.authors = ["x"]; s.files = ["lib/mine.rb"] }\n'
    gemfile = f'source "{gems.url}"\ngem "mine", path: "mine"\n'
    locked = f"PATH\n  remote: mine\n  specs:\n    mine (0.1)\n\nGEM\n  remote: {gems.url}/\n  specs:\n"
    locked += "\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  mine!\n"
    files = {"Gemfile": gemfile, "Gemfile.lock": locked, "mine/mine.gemspec": spec, "mine/lib/mine.rb": "puts 'mine'\n"}
    built = bench.build(
        support.push(tmp_path, {**files, "Procfile": "worker: bundle exec ruby -e 'require \"mine\"'\n"}, bench.app("own-gem"))
    )
    assert printed(built, "bundle exec ruby -e 'require \"mine\"'") == "mine\n"


@pytest.mark.engine
@pytest.mark.parametrize(
    ("gemfile", "locked", "message"),
    [
        ('gem "sinatra"\ngem "nosuch"\n', "    sinatra (3.0.5)\n", "Gemfile.lock does not match the Gemfile"),
        ('gem "quick"\n', "    quick (9.9.9)\n", "no source has the gem quick 9.9.9"),
        ('ruby "3.1.999"\n', "", "the Gemfile insists on Ruby 3.1.999, and this stack has 3.1.2"),
    ],
    ids=["a lock file that is behind", "a version that nobody has", "another patch of Ruby"],
)
def test_gems_that_can_not_be_installed_are_named(
    gemfile: str, locked: str, message: str, bench: Bench, gems: Served, tmp_path: Path
) -> None:
    named = "".join(f"  {line.split()[0]}\n" for line in locked.splitlines())
    text = f"GEM\n  remote: {gems.url}/\n  specs:\n{locked}\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n{named}"
    files = {"Gemfile": f'source "{gems.url}"\n{gemfile}', "Gemfile.lock": text, "Procfile": "web: x\n"}
    with pytest.raises(DeployFailed) as refused:
        bench.build(support.push(tmp_path, files, bench.app("ruby-broken")))
    assert refused.value.message == message, refused.value.evidence
    assert refused.value.code not in ("build_failed", "build_refused")


@pytest.mark.engine
def test_a_gem_server_that_does_not_answer_is_told_apart(bench: Bench, tmp_path: Path) -> None:
    text = "GEM\n  remote: http://127.0.0.1:9/\n  specs:\n    quick (1.0.0)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  quick\n"
    files = {"Gemfile": 'source "http://127.0.0.1:9"\ngem "quick"\n', "Gemfile.lock": text, "Procfile": "web: x\n"}
    with pytest.raises(DeployFailed) as refused:
        bench.build(support.push(tmp_path, files, bench.app("ruby-offline")))
    assert refused.value.message == "the gem server could not be reached", refused.value.evidence
