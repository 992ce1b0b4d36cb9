"""networks.py NETWORK BATCH THREADS: pictures a second of ONNX Runtime on the same network, best and median of 15.

Batch norms are folded, as ONNX Runtime's own exporters leave them; values are random, which changes no speed."""
import sys
import time

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(1)


class Graph:
    def __init__(self):
        self.nodes, self.weights, self.count = [], [], 0

    def add(self, op, inputs, **attributes):
        self.count += 1
        name = f"v{self.count}"
        self.nodes.append(helper.make_node(op, inputs, [name], **attributes))
        return name

    def constant(self, array):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(array.astype(np.float32), name))
        return name

    def conv(self, x, into, out, size, stride=1, groups=1, pad=None):
        fan_in = into // groups * size * size
        w = self.constant(random.normal(0, (1.5 / fan_in) ** 0.5, (out, into // groups, size, size)))
        pad = size // 2 if pad is None else pad
        return self.add("Conv", [x, w, self.constant(random.normal(0, 0.1, out))], strides=[stride] * 2, pads=[pad] * 4, group=groups)

    def relu6(self, x):
        return self.add("Clip", [x, self.constant(np.array(0)), self.constant(np.array(6))])


def mobilenetv2_100(g, x):
    x = g.relu6(g.conv(x, 3, 32, 3, 2))
    x = g.conv(g.relu6(g.conv(x, 32, 32, 3, groups=32)), 32, 16, 1)
    width = 16
    for out, count, stride in [(24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1)]:
        for i in range(count):
            s = stride if i == 0 else 1
            wide = width * 6
            y = g.relu6(g.conv(x, width, wide, 1))
            y = g.conv(g.relu6(g.conv(y, wide, wide, 3, s, groups=wide)), wide, out, 1)
            x = g.add("Add", [x, y]) if s == 1 and width == out else y
            width = out
    return g.relu6(g.conv(x, 320, 1280, 1))


def resnet(g, x, bottleneck, depths):
    x = g.add("Relu", [g.conv(x, 3, 64, 7, 2)])
    x = g.add("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    into = 64
    for stage, depth in enumerate(depths):
        width = 64 << stage
        out = width * 4 if bottleneck else width
        for i in range(depth):
            stride = 2 if i == 0 and stage else 1
            if bottleneck:
                y = g.add("Relu", [g.conv(x, into, width, 1)])
                y = g.conv(g.add("Relu", [g.conv(y, width, width, 3, stride)]), width, out, 1)
            else:
                y = g.conv(g.add("Relu", [g.conv(x, into, width, 3, stride)]), width, width, 3)
            skip = x if into == out and stride == 1 else g.conv(x, into, out, 1, stride)
            x = g.add("Relu", [g.add("Add", [y, skip])])
            into = out
    return x


NETWORKS = {
    "mobilenetv2_100": mobilenetv2_100,
    "resnet18": lambda g, x: resnet(g, x, False, [2, 2, 2, 2]),
    "resnet50": lambda g, x: resnet(g, x, True, [3, 4, 6, 3]),
}


def main():
    name, batch, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    g = Graph()
    y = g.add("GlobalAveragePool", [NETWORKS[name](g, "input")])
    graph = helper.make_graph(g.nodes, name, [helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch, 3, 224, 224])],
                              [helper.make_tensor_value_info(y, TensorProto.FLOAT, None)], g.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    pictures = random.normal(0, 1, (batch, 3, 224, 224)).astype(np.float32)
    session.run(None, {"input": pictures})
    seconds = []
    for _ in range(15):
        started = time.perf_counter()
        session.run(None, {"input": pictures})
        seconds.append(time.perf_counter() - started)
    seconds.sort()
    print(f"{batch / seconds[0]:.2f} {batch / seconds[7]:.2f}")


main()
