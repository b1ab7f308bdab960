"""What the shells inside a sandbox are told. Only builtins are used once the login shell has started,
so that it goes on when the programs have been deleted.

Descriptors: 250 brings a script to the login shell, 251 takes its state away, 249 and 253 are the
terminal.
"""

from __future__ import annotations

import re

#: Told to the first process: start the login shell, and keep its descriptors to nobody else.
LOGIN = (
    "env --default-signal=INT,QUIT setsid --ctty bash --login --noediting <&253 >&253 2>&253 253>&- &\n"
    "exec 250<&- 251>&- 253>&- 2>/dev/null\n"
)
#: Told to the first process: run a command beside the login shell, then say its exit status.
RUN = "timeout -k 1 {seconds} {command} </dev/null 2>&1\nprintf '<{mark} %d>\\n' $?\n"
#: Typed into the login shell for every script: take it, run it, tell how the shell is after it.
STEP = 'IFS= read -rd \'\' -u 250 __script; __begin; eval "$__script"; __end $? "$@"\n'
#: What a shell says of itself that no other can be told: made of its process or of time, or read-only;
#: and line editing, which takes its input anew and loses what was read ahead.
_ITS_OWN = re.compile(
    r"^(?:declare -\S+ (?:BASH\w*|COMP_WORDBREAKS|DIRSTACK|EPOCH\w+|E?UID|FUNCNAME|GROUPS|HISTCMD"
    r"|LINENO|PIPESTATUS|PPID|SECONDS|SHELLOPTS|SRANDOM|_)(?:=.*)?|set [-+]o (?:emacs|vi)"
    r"|shopt -\w (?:login_shell|restricted_shell))\n",
    re.MULTILINE,
)
_SETUP = r"""
set +o history
unset PROMPT_COMMAND
exec 249>&1
__begin() { builtin printf '<MARK:' >&249; return $__status; }
__end() {
  __status=$1
  unset __script
  shift
  PS1= PS2=
  builtin printf ':MARK>' >&249
  {
    builtin printf '<MARK:%d\n' $__status
    builtin printf 'builtin cd -- %q\n' "$PWD"
    umask -p
    shopt -p
    set +o
    declare -p
    declare -f
    declare -F
    alias -p
    builtin printf 'set --'
    test $# = 0 || builtin printf ' %q' "$@"
    builtin printf '\n:MARK>'
  } >&251
} 2>/dev/null
RANDOM=1
"""


def setup(mark: str, state: str) -> str:
    """The first script of a login shell. state: what an earlier one said of itself."""
    restored = f"{{\n{state}\n}} >/dev/null 2>&1\n" if state else ""
    return f"{restored}{_SETUP.replace('MARK', mark)}"


def lasting(state: str) -> str:
    """Of what a shell says of itself, what another can be told."""
    return _ITS_OWN.sub("", state)
