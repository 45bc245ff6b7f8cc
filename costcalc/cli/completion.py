"""costcalc completion"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

import click

from ..errors import CostcalcError
from .commands import COMMANDS
from .commands import command as command_of

BASH = """# bash completion of costcalc: eval "$(costcalc completion bash)"
_costcalc() {
  local part="${COMP_LINE:0:COMP_POINT}" word found=() line files=
  word="${part##*[[:space:]]}"
  # bash splits words at `=` and `:`: remove the part before them
  local cut="${word%"${word##*[=:]}"}"
  while IFS= read -r line; do
    if [ "$line" = $'\\x01files' ]; then files=1; else found+=("${line#"$cut"}"); fi
  done < <(_COSTCALC_COMPLETE=words _COSTCALC_LINE="$part" costcalc 2>/dev/null)
  COMPREPLY=("${found[@]}")
  if [ -n "$files" ]; then
    local name
    while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen -f -- "${word##*[=:]}")
    compopt -o filenames 2>/dev/null
  fi
  case "${COMPREPLY[0]-}" in *=|*/) compopt -o nospace 2>/dev/null ;; esac
}
complete -o bashdefault -o default -F _costcalc costcalc
"""
ZSH = """#compdef costcalc
# zsh completion of costcalc: eval "$(costcalc completion zsh)", after compinit
_costcalc() {
  local -a found settings
  local line files=
  while IFS= read -r line; do
    if [[ "$line" == $'\\x01files' ]]; then files=1
    elif [[ "$line" == *= ]]; then settings+=("$line")
    else found+=("$line"); fi
  done < <(_COSTCALC_COMPLETE=words _COSTCALC_LINE="${(j: :)words[1,CURRENT]}" costcalc 2>/dev/null)
  (( $#found )) && compadd -- "${found[@]}"
  (( $#settings )) && compadd -S '' -- "${settings[@]}"
  [[ -n "$files" ]] && _files
}
compdef _costcalc costcalc
"""
FISH = """# fish completion of costcalc: costcalc completion fish | source
function __costcalc
  set -l part (commandline -cp)
  for line in (_COSTCALC_COMPLETE=words _COSTCALC_LINE="$part" costcalc 2>/dev/null)
    if test "$line" = \\x01files
      set -l token (commandline -ct)
      for file in $token*
        test -d $file; and echo $file/; or echo $file
      end
    else
      echo $line
    end
  end
end
complete -c costcalc -f -a '(__costcalc)'
"""
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


@click.command()
@click.argument("shell", type=click.Choice(list(SCRIPTS)), metavar="bash|zsh|fish")
def command(shell: str) -> None:
    """Print the script that completes commands, options, specs, files, conventions, metrics and variables.

    \b
    In ~/.bashrc:   eval "$(costcalc completion bash)"
    In ~/.zshrc:    eval "$(costcalc completion zsh)"     after `autoload -U compinit; compinit`
    In config.fish: costcalc completion fish | source

    \b
    Examples:
      costcalc completion bash
    """
    click.echo(SCRIPTS[shell], nl=False)


def answer() -> None:
    """Print the completions of the command line in the environment, one per line."""
    *words, part = _split(os.environ.get("_COSTCALC_LINE", ""))
    for one in candidates(words[1:], part):
        click.echo(one)


def _split(line: str) -> list[str]:
    """Words of a line; the last one is being written and may be empty."""
    import shlex

    for end in ("", '"', "'"):  # a quote may still be open
        try:
            words = shlex.split(line + end)
        except ValueError:
            continue
        return words if line[-1:].strip() and words else [*words, ""]
    return line.split(" ") or [""]


FILES = "\x01files"  # tells the shell to complete file names itself
LISTED = ("metrics", "columns")  # options with a list as value
SETTINGS = ("sets", "varied", "at")  # options with NAME=VALUE of a variable as value
LIMITS = ("max", "min", "vs_base", "most")  # options with METRIC=LIMIT as value
METRICS = ("metrics", "x", "y", "sort", "maximize")
FILE_OPTIONS = ("output", "config", "points")
SPECS = ("spec", "specs", "paths", "old", "new")


def candidates(words: list[str], part: str) -> list[str]:
    """Completions of the word `part` after the `words` of a command line; FILES may be among them."""
    try:
        found = _after_command(words, part) if words else COMMANDS
        return [one for one in dict.fromkeys(found) if one == FILES or one.startswith(part)]
    except CostcalcError:  # an unfinished spec has no completions
        return [FILES]


def _after_command(words: list[str], part: str) -> Iterable[str]:
    if words[0] not in COMMANDS:
        return ()
    found = command_of(words[0])
    if part.startswith("-"):
        name, equals, value = part.partition("=")
        option = _option(found, name)
        if equals and option is not None:
            return [one if one == FILES else f"{name}={one}" for one in _values(option, words, value)]
        return _options(found, words)
    option = _option(found, words[-1])
    if option is not None and not getattr(option, "is_flag", False):
        return _values(option, words, part)
    if words[-1].startswith("--") and option is None:
        return _of_variable(words, words[-1][2:])
    return _arguments(words, found)


def _option(found: click.Command, name: str) -> click.Parameter | None:
    return next((param for param in found.params if name in param.opts), None)


def _options(found: click.Command, words: list[str]) -> Iterator[str]:
    for param in found.params:
        if isinstance(param, click.Option):
            yield from (name for name in param.opts if name.startswith("--"))
    yield "--help"
    yield from (f"--{name}" for name in _variables(words))


def _values(option: click.Parameter, words: list[str], part: str) -> Iterable[str]:
    """Completions of an option's value."""
    if isinstance(option.type, click.Choice):
        return [str(one) for one in option.type.choices]
    name = option.name or ""
    kinds: dict[tuple[str, ...], Callable[[], Iterable[str]]] = {
        ("convention",): lambda: [*_conventions(), FILES],
        LISTED: lambda: _last_of_list(_metrics(), part),
        SETTINGS: lambda: [f"{one}=" for one in _variables(words)],
        LIMITS: lambda: [f"{one}=" for one in _metrics()],
        METRICS: lambda: [*_metrics(), *_variables(words)],
        ("marks", "names"): lambda: _last_of_list(_variables(words), part),
        ("layer",): list,
    }
    return next((make() for names, make in kinds.items() if name in names), [FILES] if name in FILE_OPTIONS else [])


def _last_of_list(names: Iterable[str], part: str) -> list[str]:
    """Completions of the last item of a list such as `mult_adds,pa`."""
    before, comma, _ = part.rpartition(",")
    return [f"{before}{comma}{name}" for name in names]


def _arguments(words: list[str], found: click.Command) -> Iterable[str]:
    """Completions of an argument: specs and files, or the subject of the command."""
    about: dict[str, Callable[[], Iterable[str]]] = {
        "help": lambda: COMMANDS,
        "ops": _operations,
        "selftest": _operations,
        "conventions": _conventions,
        "completion": lambda: ("bash", "zsh", "fish"),
        "zoo": _configs,
    }
    if words[0] in about:
        return about[words[0]]()
    names = {param.name for param in found.params if isinstance(param, click.Argument)}
    if names & {"left", "right"} and len(words) > 1:
        return [*_conventions(), FILES]
    return [*_configs(), FILES] if names & {*SPECS} else [FILES]


def _of_variable(words: list[str], name: str) -> list[str]:
    """Choices of a variable of the spec."""
    variable = _declared(words).get(name.replace("-", "_"))
    return [str(one) for one in getattr(variable, "choices", ())]


def _variables(words: list[str]) -> list[str]:
    return list(_declared(words))


def _declared(words: list[str]) -> dict[str, object]:
    """Variables of the specs on the command line, by name."""
    from ..read.loading import load

    found: dict[str, object] = {}
    for word in words[1:]:
        if not word.startswith("-") and word != "-" and (os.path.isfile(word) or word in _configs()):
            try:
                found.update(load(word).variables)
            except CostcalcError:
                continue
    return found


def _configs() -> list[str]:
    from ..files import configs

    return list(configs())


def _conventions() -> list[str]:
    from ..metrics.conventions import NAMES

    return list(NAMES)


def _metrics() -> list[str]:
    from ..metrics.metrics import METRICS as known

    return list(known)


def _operations() -> list[str]:
    from ..ops import INDEX

    return list(INDEX)
