#!/usr/bin/env bash
# Bring a virtual environment to exactly what a lock file says: venv.sh UV FOLDER LOCK [PYTHON]
set -euo pipefail
uv="$1" folder="$2" lock="$3" python="${4:-}"
here="$(dirname "${BASH_SOURCE[0]}")"

python="${python:-$("$here/find_python.sh")}"
if ! "$folder/bin/python" -c '' >/dev/null 2>&1; then
    "$uv" venv --quiet --clear --prompt "everstep-$(basename "$folder")" --python "$python" "$folder"
fi
"$uv" pip sync --quiet --require-hashes --python "$folder/bin/python" "$lock"
