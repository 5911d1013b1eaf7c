"""A classifier in formats that others read: ONNX, OpenVINO, torch, a page for the browser.

`graph.py` is the classifier as one module, `onnx_file.py`, `openvino_files.py` and
`torch_program.py` make a format of it each, `check.py` compares it with the classifier, `int8.py`
rounds it, `write.py` does the whole job. `snippets/` shows how the files are used. `web.py` makes a
page of `static/`, `onnxruntime_web.py` fetches what runs it.
"""
