#!/usr/bin/env bash
# Renew every lock file, for Python 3.11 to 3.13 on every platform, with hashes: lock.sh UV
# `UPGRADE=1 make lock` takes the newest versions, else what is pinned stays.
set -euo pipefail
uv="$1"

compile() {
    local output="$1" note="$2"
    shift 2
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        ${UPGRADE:+--upgrade} --custom-compile-command "$note" --output-file "$output" "$@" >/dev/null
    echo "$output"
}

compile requirements/uv.txt "make lock" requirements/uv.in
compile requirements/dev.lock "make lock" pyproject.toml requirements/dev.in
# What runs is what was tested: the same versions as in the development environment.
compile requirements/functions.lock "make lock" pyproject.toml requirements/functions.in \
    --constraint requirements/dev.lock
compile layers/engine/requirements.txt \
    "make lock (boto3 is missing on purpose: the Lambda runtime brings it)" requirements/layer.in \
    --constraint requirements/dev.lock
compile requirements/sam.lock "make lock" requirements/sam.in
