# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Read by prepare and worker. find_python VERSION sets $python to the real path of an interpreter: of that version, or,
# when VERSION is empty, of any that we support. Says what is missing and fails when there is none.

# Through a launcher such as pyenv's shims each start would cost tens of milliseconds, and a shim may exist without the
# version behind it: so the interpreter is asked who it is.
ask_python() {
  "$1" -I -S -c 'import sys; print("%d.%d" % sys.version_info[:2], sys.executable)' 2>/dev/null
}

find_python() {
  seen=
  if [ -n "$1" ]; then
    candidates="python$1 python3 ${HOME:-/root}/.pyenv/versions/$1.*/bin/python3"
  else
    candidates="python3 python3.11 python3.12 python3.13 python3.10 python3.9 python"
  fi
  for candidate in $candidates; do
    answer=$(ask_python "$candidate") || continue
    found=${answer%% *}
    python=${answer#* }
    case "${1:-any} $found" in
      "$found $found") return 0 ;;
      "any 3.9" | "any 3.10" | "any 3.11" | "any 3.12" | "any 3.13") return 0 ;;
    esac
    seen="$seen $python is $found;"
  done
  if [ -n "$1" ]; then
    echo "Python $1 is not installed here (looked for python$1 in PATH and in ~/.pyenv;${seen:- found no Python at all})." \
      "Install it, or set spec.runtime to a version that is" >&2
  else
    echo "no supported Python is installed here (wanted 3.9 to 3.13;${seen:- found none at all}). Install python3" >&2
  fi
  return 1
}
