#!/usr/bin/env bash
# Install the peers that eyespot is measured against: install.sh ENVIRONMENT PYTHON
set -euo pipefail
environment=$1 python=$2
"$python" -m venv "$environment"
pip=("$environment/bin/pip" --disable-pip-version-check install -q)
# torch alone first: packages that ask for it by another version would pull a build with CUDA.
"${pip[@]}" torch==2.13.0
"${pip[@]}" --no-deps torchvision==0.28.0 timm==1.0.31 fastai==2.8.12 fastdownload \
    ultralytics==8.4.190 ultralytics-thop==2.2.3 ultralytics-platform==0.1.99
"${pip[@]}" numpy scipy pandas matplotlib scikit-learn pillow safetensors huggingface_hub pyyaml \
    requests packaging fastcore fastprogress fasttransform cloudpickle plum-dispatch \
    onnx onnxruntime onnxscript opencv-python-headless psutil polars
