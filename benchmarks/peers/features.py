"""Photos per second to pooled features: features.py eager|bf16|onnx FOLDER WEIGHTS."""

import json
import sys
import tempfile
import time

import networks
import torch


def main() -> None:
    kind, folder, weights = sys.argv[1:]
    net = networks.network(weights)
    if kind == "onnx":
        import onnxruntime

        path = tempfile.mkdtemp() + "/network.onnx"
        torch.onnx.export(
            net, (torch.zeros(32, 3, 224, 224),), path, dynamic_shapes={"x": {0: "batch"}}
        )
        session = onnxruntime.InferenceSession(path)
        name = session.get_inputs()[0].name

        def features(x):
            return session.run(None, {name: x.numpy()})[0]
    elif kind == "bf16":
        net = net.to(memory_format=torch.channels_last)

        def features(x):
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
                return net(x.contiguous(memory_format=torch.channels_last))
    else:

        def features(x):
            with torch.inference_mode():
                return net(x)

    features(torch.zeros(32, 3, 224, 224))
    done, start = 0, time.perf_counter()
    for pictures, _ in networks.loader(folder):
        features(pictures)
        done += len(pictures)
        if time.perf_counter() - start > 20:
            break
    print(json.dumps({"photos_per_second": done / (time.perf_counter() - start)}))


if __name__ == "__main__":
    main()
