"""costcalc completion"""

from __future__ import annotations

import os

import click

BASH = """# bash completion of costcalc: eval "$(costcalc completion bash)"
_costcalc() {
  local part="${COMP_LINE:0:COMP_POINT}" word found=() line files=
  word="${part##*[[:space:]]}"
  # bash takes `=` and `:` for the ends of words: what is before them in this word is not part of an answer
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
    """The script that makes a shell complete commands, options, specs, files, conventions, metrics and variables.

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
    """Print what could come next after the line in the environment, one per line: a shell asks."""
    from .completing import candidates

    *words, part = _split(os.environ.get("_COSTCALC_LINE", ""))
    for one in candidates(words[1:], part):
        click.echo(one)


def _split(line: str) -> list[str]:
    """The words of a line; the last one is what is being written, perhaps nothing yet."""
    import shlex

    for end in ("", '"', "'"):  # a quote may still be open
        try:
            words = shlex.split(line + end)
        except ValueError:
            continue
        return words if line[-1:].strip() and words else [*words, ""]
    return line.split(" ") or [""]
