"""The way out that the last lines of an instance show, as shells, Python and Node.js print them."""

import pytest

from wherry.running.last_words import ANY, DONE, SHOWN, last_words

SAID = {
    "/bin/sh: 1: exec: nodemon: not found": "The program nodemon is not in the image",
    "sh: 1: gunicorn: not found": "The program gunicorn is not in the image",
    "bash: line 1: gunicorn: command not found": "The program gunicorn is not in the image",
    "/bin/sh: 1: exec: ./start.sh: not found": "Is ./start.sh in the push? A script with Windows line ends",
    "/bin/sh: 1: exec: ./start.sh: Permission denied": "git update-index --chmod=+x ./start.sh",
    "/usr/bin/env: 'python\\r': No such file or directory": "A script has Windows line ends",
    "ModuleNotFoundError: No module named 'requests'": '"requests" is neither a file of the push (requests.py) nor brought',
    "ModuleNotFoundError: No module named 'shop.settings'": '"shop" is neither a file of the push (shop.py) nor brought',
    "Failed to find attribute 'application' in 'app'.": 'The module has no "application"',
    "Error: Cannot find module 'express'": "The package express is not in the image",
    "Error [ERR_MODULE_NOT_FOUND]: Cannot find package '@fastify/cors' imported from /app/index.js": "The package @fastify/cors is not",
    "Error: Cannot find module '/app/dist/index.js'": "dist/index.js is not in the image: is it in the push, or made by the build?",
    "Error: Cannot find module './config/secret.json'": "./config/secret.json is not in the image: is it in the push",
    "ReferenceError: require is not defined in ES module scope, you can use import instead": "end the file's name in .cjs",
    "SyntaxError: Cannot use import statement outside a module": "end the file's name in .mjs",
    "KeyError: 'DATABASE_URL'": "set it: wherry config:set shop DATABASE_URL=VALUE",
}


def way_out(lines: list[str], app: str, exit_code: int | None = 1) -> str:
    return last_words(lines, app, exit_code)[1]


@pytest.mark.parametrize("line", SAID)
def test_the_commonest_reasons_have_their_own_way_out(line: str) -> None:
    assert SAID[line] in way_out(["a line before", line, "    at node:internal/main", "a line after"], "shop")


@pytest.mark.parametrize("lines", [[], ["Traceback: boom"], ["KeyError: 'name'"], ["GET /x: not found, said the app"]])
def test_what_is_not_known_is_not_guessed_at(lines: list[str]) -> None:
    assert way_out(lines, "shop") == ANY


def test_one_that_only_came_to_its_end_is_told_so() -> None:
    assert way_out(["done"], "shop", 0) == DONE
    assert way_out(["done"], "shop", None) == ANY


def test_a_reason_above_a_long_stack_is_found_and_shown() -> None:
    stack = [f"    at frame {number}" for number in range(30)]
    shown, hint = last_words(["started", "Error: Cannot find module 'express'", *stack, "Node.js v24"], "shop")
    assert "The package express is not in the image" in hint
    assert shown == ("Error: Cannot find module 'express'", *stack[: SHOWN - 1])


def test_of_lines_that_tell_nothing_the_last_are_shown() -> None:
    lines = [f"line {number}" for number in range(50)]
    assert last_words(lines, "shop") == (tuple(lines[-SHOWN:]), ANY)
    assert last_words(["KeyError: 'OLD_ONE'", *lines, "KeyError: 'NEW_ONE'"], "shop")[1].endswith("shop NEW_ONE=VALUE")
