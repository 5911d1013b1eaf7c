#!/usr/bin/env bash
# Measure eyespot against its peers: run_all.sh ENVIRONMENT-OF-THE-PEERS
set -euo pipefail
cd "$(dirname "$0")"
python=../.venv/bin/python peer=$(realpath -s "../$1/bin/python")
$python heads.py
$python features.py --peer "$peer"
OMP_NUM_THREADS=1 $python colour.py
$python accuracy.py
$python teach.py --peer "$peer"
$python zoo.py
$python serve.py --overload 60
OMP_NUM_THREADS=1 $python playground.py
