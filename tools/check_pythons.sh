#!/usr/bin/env bash
# Run the tests that need no server on every supported Python: check_pythons.sh UV VENVS
# Says which versions are missing; fails if a test fails, or if no version is there at all.
set -euo pipefail
uv="$1" venvs="$2"
here="$(dirname "${BASH_SOURCE[0]}")"
found=() missing=() failed=()

for version in 3.11 3.12 3.13; do
    if ! python="$("$here/find_python.sh" "$version")"; then
        missing+=("$version")
        continue
    fi
    found+=("$version")
    echo "==> Python $version ($python)"
    "$here/venv.sh" "$uv" "$venvs/test-$version" requirements/dev.lock "$python"
    "$uv" pip install --quiet --python "$venvs/test-$version/bin/python" \
        --no-deps --no-build-isolation --editable .
    "$venvs/test-$version/bin/python" -m pytest -q -p no:cacheprovider \
        -m "not localstack and not sam and not slow" tests || failed+=("$version")
done

echo "Passed or failed on: ${found[*]:-none}. Missing here: ${missing[*]:-none}. Failed: ${failed[*]:-none}."
[[ ${#found[@]} -gt 0 && ${#failed[@]} -eq 0 ]]
