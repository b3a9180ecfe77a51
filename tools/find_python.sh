#!/usr/bin/env bash
# Print the interpreter to use: $PYTHON, else the first supported one on the PATH.
#   find_python.sh              any supported version
#   find_python.sh 3.12         that version, also looked for among pyenv's
set -euo pipefail

supported='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'

# A shim may exist for a version that is not active, so each candidate is run, not only looked up.
first_that_passes() {
    local test="$1" candidate
    shift
    for candidate in "$@"; do
        if [[ -n "$candidate" ]] && "$candidate" -c "$test" >/dev/null 2>&1; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    return 1
}

if [[ "${1:-}" == 3.* ]]; then
    wanted="import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')"
    first_that_passes "$wanted" "python$1" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python
    exit
fi

if [[ -n "${PYTHON:-}" ]] && ! first_that_passes "$supported" "$PYTHON" >/dev/null; then
    echo "PYTHON is $PYTHON, which is not a Python 3.11, 3.12 or 3.13." >&2
    exit 1
fi
if ! python="$(first_that_passes "$supported" "${PYTHON:-}" python3 python3.13 python3.12 python3.11)"; then
    echo "No Python 3.11, 3.12 or 3.13 found. Install one, or name it: make PYTHON=/path/to/python3.12 …" >&2
    exit 1
fi
echo "$python"
