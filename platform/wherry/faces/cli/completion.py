"""`wherry completion`: a few lines of bash that ask this file what may follow; it never fails and never writes to the line."""

from __future__ import annotations

from wherry.errors import WherryError
from wherry.faces.cli.commands import COMMANDS, NOUNS, Argument, Command, find
from wherry.faces.cli.session import Session, app_segment

BASH = r"""# Tab completion of wherry for bash. Load it with: eval "$(wherry completion)"
_wherry() {
  local line="${COMP_LINE:0:COMP_POINT}" words word cut IFS=$' \t\n'
  read -r -a words <<< "$line"
  [[ "$line" == *[[:space:]] ]] && words+=("")
  word="${words[${#words[@]}-1]}"
  IFS=$'\n'
  COMPREPLY=($(compgen -W "$("${words[0]}" completion -- "${words[@]:1}" 2> /dev/null)" -- "$word"))
  if [[ "$COMP_WORDBREAKS" == *:* && "$word" == *:* ]]; then
    cut="${word%"${word##*:}"}"
    COMPREPLY=("${COMPREPLY[@]#"$cut"}")
  fi
  if [[ "$COMP_WORDBREAKS" == *=* && "$word" == *=* ]]; then
    cut="${word%"${word##*=}"}"
    COMPREPLY=("${COMPREPLY[@]#"$cut"}")
  fi
  [[ ${#COMPREPLY[@]} == 1 && "${COMPREPLY[0]}" == *= ]] && compopt -o nospace 2> /dev/null
  return 0
}
complete -o default -F _wherry wherry"""


def show(session: Session) -> int:
    words = session.given.many("WORD")
    if words:
        found = sorted(candidate for candidate in candidates(session, words) if candidate.startswith(words[-1]) and _plain(candidate))
        session.terminal.say("\n".join(found))
    else:
        session.terminal.say(BASH)
    return 0


def candidates(session: Session, words: list[str]) -> list[str]:
    """What the last of `words` (as far as it is typed) may become."""
    if len(words) == 1:
        return list(COMMANDS)
    command = COMMANDS.get(words[0])
    if command is None:
        return []
    if words[-1].startswith("-"):
        return [name for option in command.options for name in option.names]
    before = find(command, words[-2])
    if before is not None and before.value:
        return _values(session, before.value, _app(command, words))
    argument = _argument(command, words)
    return _values(session, argument.name, _app(command, words)) if argument else []


def _argument(command: Command, words: list[str]) -> Argument | None:
    """The argument that the last word stands for."""
    arguments = [argument for argument in command.arguments if argument.name != "APP" or not _named(words)]
    position = len(_positional(command, words)) - 1
    if 0 <= position < len(arguments):
        return arguments[position]
    return arguments[-1] if arguments and arguments[-1].many else None


def _app(command: Command, words: list[str]) -> str | None:
    if _named(words):
        return words[next(index for index, word in enumerate(words) if word in ("-a", "--app")) + 1]
    given = _positional(command, words[:-1])
    takes_app = bool(command.arguments) and command.arguments[0].name == "APP"
    return given[0] if takes_app and given else None


def _named(words: list[str]) -> bool:
    """The app was given by `-a APP`, and not as the word being typed."""
    return any(word in ("-a", "--app") for word in words[:-2])


def _positional(command: Command, words: list[str]) -> list[str]:
    """The words after the command that are neither options nor their values."""
    found = []
    for position, word in enumerate(words[1:]):
        option = find(command, words[position])
        if not word.startswith("-") and not (option and option.value):
            found.append(word)
    return found


def _values(session: Session, kind: str, app: str | None) -> list[str]:
    """What can stand for an argument; what the platform knows is asked of it, and silence is an answer."""
    try:
        return _known(session, kind, app)
    except (WherryError, KeyError, TypeError):
        return []


def _known(session: Session, kind: str, app: str | None) -> list[str]:
    api = session.api
    if kind == "APP":
        return [found["name"] for found in api.get("/api/apps")["apps"]]
    if kind == "TOPIC":
        return [*COMMANDS, *NOUNS]
    if kind == "ROLE":
        return ["read", "deploy", "admin"]
    if kind == "SOURCE":
        return ["app", "wherry"]
    return _of_app(session, kind, f"/api/apps/{app_segment(app)}") if app else []


def _of_app(session: Session, kind: str, path: str) -> list[str]:
    if kind in ("VERSION", "OTHER"):
        return [release["version"] for release in session.api.get(f"{path}/releases")["releases"]]
    if kind in ("KEY", "KEY=VALUE"):
        keys = session.api.get(f"{path}/config-vars")["config_vars"]
        return [f"{key}=" if kind == "KEY=VALUE" else key for key in keys]
    if kind == "TYPE=N":
        return [f"{name}=" for name in session.api.get(f"{path}/formation")["formation"]]
    if kind == "INSTANCE":
        seen = session.api.get(f"{path}/instances")["instances"]
        return sorted({name for instance in seen for name in (instance["type"], instance["name"])})
    return []


def _plain(candidate: str) -> bool:
    """Only words that a shell takes as they are."""
    return all(character.isalnum() or character in "-_.:=" for character in candidate)
