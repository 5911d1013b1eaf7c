"""A classifier in the formats of other software: ONNX, OpenVINO, torch, a web page.

`graph.py` is the classifier as one torch module; `onnx_file.py`, `openvino_files.py` and
`torch_program.py` convert it. `check.py` compares predictions, `int8.py` quantises, `write.py`
writes the files. `snippets/` are the programs that use them. `web.py` makes a page from `static/`;
`onnxruntime_web.py` downloads its runtime.
"""
