#!/usr/bin/env bash
# python3-venv is a package of its own on Debian: install it where we may, else say what to run.
set -eu
if "$1" -c 'import ensurepip, venv' 2>/dev/null; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
else
    echo "csa needs Python's venv module; run: sudo apt-get install -y python3-venv" >&2
    exit 1
fi
