"""Pictures a second of networks, jre beside OpenVINO, ONNX Runtime and PyTorch, in f32 on the same threads.

    networks.py JRE [NETWORK...]        a row for each network, batch and number of threads, and what a start costs

Five times over, everybody in turn: a disturbance of the machine meets all alike. `best` is the best of five, `median` the middle one; the ratio is
that of the best ones, to the fastest peer. While one computes the others are stopped. Weights are random, which changes no speed; for OpenVINO
and ONNX Runtime batch norms are folded, as their own exporters leave them. JRE_BENCH=long adds torch.compile, which takes a minute a row."""
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

NETWORKS = ["resnet18", "resnet50", "mobilenetv2_100", "squeezenet1_1"]
SETTINGS = [(16, 1), (1, 1), (16, 2), (1, 2)]
TIMES, ROUNDS, SECONDS, SIDE = 5, 5, 1, 224            # rounds and seconds: as in compiler/cli/bench.c


# ---- the networks as ONNX graphs ----------------------------------------------------------------------------------------------------

class Graph:
    def __init__(self):
        import numpy
        self.nodes, self.weights, self.count, self.random = [], [], 0, numpy.random.default_rng(1)

    def add(self, op, inputs, **attributes):
        from onnx import helper
        self.count += 1
        name = f"v{self.count}"
        self.nodes.append(helper.make_node(op, inputs, [name], **attributes))
        return name

    def constant(self, array):
        import numpy
        from onnx import numpy_helper
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(numpy.asarray(array, numpy.float32), name))
        return name

    def conv(self, x, into, out, size, stride=1, groups=1, pad=None):
        fan_in = into // groups * size * size
        w = self.constant(self.random.normal(0, (1.5 / fan_in) ** 0.5, (out, into // groups, size, size)))
        pad = size // 2 if pad is None else pad
        return self.add("Conv", [x, w, self.constant(self.random.normal(0, 0.1, out))], strides=[stride] * 2, pads=[pad] * 4, group=groups)

    def relu(self, x):
        return self.add("Relu", [x])

    def relu6(self, x):
        return self.add("Clip", [x, self.constant(0), self.constant(6)])

    def max_pool(self, x, pad):
        return self.add("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[pad] * 4)


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


def squeezenet1_1(g, x):
    x = g.max_pool(g.relu(g.conv(x, 3, 64, 3, 2, pad=0)), 0)
    into = 64
    for squeezed, wide, pooled in [(16, 64, 0), (16, 64, 1), (32, 128, 0), (32, 128, 1), (48, 192, 0), (48, 192, 0), (64, 256, 0), (64, 256, 0)]:
        s = g.relu(g.conv(x, into, squeezed, 1))
        x = g.add("Concat", [g.relu(g.conv(s, squeezed, wide, 1)), g.relu(g.conv(s, squeezed, wide, 3))], axis=1)
        into = 2 * wide
        if pooled:
            x = g.max_pool(x, 0)
    return x


def resnet(bottleneck, depths):
    def build(g, x):
        x = g.max_pool(g.relu(g.conv(x, 3, 64, 7, 2)), 1)
        into = 64
        for stage, depth in enumerate(depths):
            width = 64 << stage
            out = width * 4 if bottleneck else width
            for i in range(depth):
                stride = 2 if i == 0 and stage else 1
                if bottleneck:
                    y = g.conv(g.relu(g.conv(g.relu(g.conv(x, into, width, 1)), width, width, 3, stride)), width, out, 1)
                else:
                    y = g.conv(g.relu(g.conv(x, into, width, 3, stride)), width, width, 3)
                skip = x if into == out and stride == 1 else g.conv(x, into, out, 1, stride)
                x = g.relu(g.add("Add", [y, skip]))
                into = out
        return x
    return build


BUILDERS = {
    "mobilenetv2_100": mobilenetv2_100,
    "squeezenet1_1": squeezenet1_1,
    "resnet18": resnet(False, [2, 2, 2, 2]),
    "resnet34": resnet(False, [3, 4, 6, 3]),
    "resnet50": resnet(True, [3, 4, 6, 3]),
    "resnet101": resnet(True, [3, 4, 23, 3]),
}


def onnx_bytes(network, batch):
    from onnx import TensorProto, helper
    g = Graph()
    y = g.add("GlobalAveragePool", [BUILDERS[network](g, "input")])
    graph = helper.make_graph(g.nodes, network, [helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch, 3, SIDE, SIDE])],
                              [helper.make_tensor_value_info(y, TensorProto.FLOAT, None)], g.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model.SerializeToString()


# ---- peers: each gives a function that embeds the batch once ----------------------------------------------------------------------------

def pictures(batch):
    import numpy
    return numpy.random.default_rng(2).normal(0, 1, (batch, 3, SIDE, SIDE)).astype(numpy.float32)


def onnxruntime_session(model, threads):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def onnxruntime_peer(network, batch, threads):
    session, x = onnxruntime_session(onnx_bytes(network, batch), threads), pictures(batch)
    return lambda: session.run(None, {"input": x})


def openvino_peer(network, batch, threads):
    import openvino
    core = openvino.Core()
    model = core.read_model(onnx_bytes(network, batch))
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": "1", "INFERENCE_NUM_THREADS": str(threads)})
    request, x = compiled.create_infer_request(), pictures(batch)
    return lambda: request.infer({0: x}, share_inputs=True)


def torch_model(network):
    if network.startswith("squeezenet"):
        import torchvision
        whole = getattr(torchvision.models, network)(weights=None)
        whole.classifier = __import__("torch").nn.AdaptiveAvgPool2d(1)
        return whole.eval()
    import timm
    return timm.create_model(network, pretrained=False, num_classes=0).eval()


def torch_peer(network, batch, threads, compiled=False):
    import torch
    torch.set_num_threads(threads)
    model = torch_model(network).to(memory_format=torch.channels_last)
    x = torch.from_numpy(pictures(batch)).to(memory_format=torch.channels_last)
    if compiled:
        model = torch.compile(model)
    context = torch.inference_mode()
    context.__enter__()
    return lambda: model(x)


PEERS = {
    "openvino": openvino_peer,
    "onnxruntime": onnxruntime_peer,
    "torch": torch_peer,
    "torch.compile": lambda network, batch, threads: torch_peer(network, batch, threads, True),
}


def serve(name, network, batch, threads):
    """Answers each line on stdin with the best time of a batch."""
    embed = PEERS[name](network, batch, threads)
    embed(), embed()
    print("ready", flush=True)
    for _ in sys.stdin:
        best, rounds, started = 1e9, 0, time.perf_counter()
        while rounds < ROUNDS or time.perf_counter() - started < SECONDS:
            begun = time.perf_counter()
            embed()
            best = min(best, time.perf_counter() - begun)
            rounds += 1
        print(best, flush=True)


class Peer:
    def __init__(self, name, network, batch, threads):
        self.process = subprocess.Popen([sys.executable, __file__, "--peer", name, network, str(batch), str(threads)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.there = self.process.stdout.readline().strip() == "ready"
        if self.there:
            self.process.send_signal(signal.SIGSTOP)

    def seconds(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        self.process.send_signal(signal.SIGSTOP)
        return float(answer)

    def end(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()


# ---- rows -----------------------------------------------------------------------------------------------------------------------------------

def jre_bench(jre, network, batch, threads, latency):
    command = [jre, "bench", network, "--batch", str(batch), "--threads", str(threads), "--json"] + (["--latency"] if latency else [])
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["bench"]


def row(jre, network, batch, threads, names, latency):
    peers = {name: Peer(name, network, batch, threads) for name in names}
    ours, theirs = [], {name: [] for name in names}
    for _ in range(TIMES):
        ours.append(jre_bench(jre, network, batch, threads, latency and batch == 1))
        for name, peer in peers.items():
            if peer.there:
                theirs[name].append(batch / peer.seconds())
    for peer in peers.values():
        peer.end()
    best = max(ours, key=lambda o: o["best"])
    limit = max(o["limit"] for o in ours)
    told = {name: max(rates) for name, rates in theirs.items() if rates}
    cells = "".join(f"{told[name]:10.1f}" if name in told else f"{'-':>10}" for name in names)
    ratio = f"{best['best'] / max(told.values()):6.2f}" if told else "     -"
    print(f"{network:<16}{batch:5}{threads:8}{best['best']:9.1f}{statistics.median(o['best'] for o in ours):8.1f}{cells}{ratio}"
          f"{best['flops'] / 1e9:9.0f}{100 * best['flops'] / limit:6.0f}%", flush=True)


# ---- what a start costs -----------------------------------------------------------------------------------------------------------------------

def start_of_onnxruntime(model, numbers):
    import numpy
    session = onnxruntime_session(model, 1)
    session.run(None, {"input": numpy.load(numbers)})


def whole_process(command):
    """Seconds and MiB at most of the best of five processes. A small process starts them: what its parent held counts as a child's own."""
    told = subprocess.run([sys.executable, __file__, "--whole", *command], capture_output=True, text=True)
    return tuple(map(float, told.stdout.split())) if told.returncode == 0 else None


def tell_whole_process(command):
    best, memory = 1e9, 0
    for _ in range(TIMES):
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            sys.exit(1)
        best, memory = min(best, time.perf_counter() - started), max(memory, usage.ru_maxrss / 1024)
    print(best, memory)


def starts(jre, networks):
    """A process from its command to the first embedding of one picture, with weights from a file."""
    import numpy
    try:
        from safetensors.torch import save_file
    except ImportError:
        return print("start: weights with the names of timm are made with torch, which is not there")
    print(f"\n{'from command to first embedding':<32}{'seconds':>14}{'MiB at most':>24}")
    print(f"{'network':<16}{'':16}{'jre':>7}{'onnxruntime':>13}{'jre':>11}{'onnxruntime':>13}")
    with tempfile.TemporaryDirectory() as folder:
        numbers, model, document = (os.path.join(folder, name) for name in ("in.npy", "model.onnx", "start.jre"))
        numpy.save(numbers, pictures(1))
        for network in networks:
            save_file({name: w.contiguous() for name, w in torch_model(network).state_dict().items()}, os.path.join(folder, "w.safetensors"))
            with open(model, "wb") as file:
                file.write(onnx_bytes(network, 1))
            with open(document, "w") as file:
                file.write("```jre\nuse resnet\nuse squeezenet\nuse mobilenetv2\naugment plain(x: Image) -> Image { x |> stretch(224px) }\n"
                           f"network Eye(x: Tensor[N, 3, H, W]) -> Embedding[N, _] {{ x |> {network}(weights = \"w.safetensors\") |> average_pool }}\n"
                           "embed features {\n  network Eye\n  view plain\n}\n```\n")
            ours = whole_process([jre, "embed", document, "features", "--tensor", numbers, "-o", os.path.join(folder, "out.npy"), "--threads", "1"])
            theirs = whole_process([sys.executable, __file__, "--start", model, numbers])
            if ours and theirs:
                print(f"{network:<32}{ours[0]:7.2f}{theirs[0]:13.2f}{ours[1]:11.0f}{theirs[1]:13.0f}", flush=True)


def there(name):
    return subprocess.run([sys.executable, "-c", f"import {name.split('.')[0]}"], capture_output=True).returncode == 0


def main(jre, networks):
    names = [name for name in PEERS if there(name) and (name != "torch.compile" or os.environ.get("JRE_BENCH") == "long")]
    latency = "--latency" in subprocess.run([jre, "help", "bench"], capture_output=True, text=True).stdout
    heads = "".join(f"{name if name != 'onnxruntime' else 'onnxrt':>10}" for name in names)
    print(f"{'network':<16}{'batch':>5}{'threads':>8}{'jre best':>9}{'median':>8}{heads}{'ratio':>6}{'GFLOP/s':>9}{'share':>7}")
    for batch, threads in SETTINGS:
        for network in networks:
            if threads <= (os.cpu_count() or 1):
                row(jre, network, batch, threads, names, latency)
    starts(jre, networks)


if __name__ == "__main__":
    if sys.argv[1] == "--peer":
        serve(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    elif sys.argv[1] == "--whole":
        tell_whole_process(sys.argv[2:])
    elif sys.argv[1] == "--start":
        start_of_onnxruntime(sys.argv[2], sys.argv[3])
    else:
        main(sys.argv[1], sys.argv[2:] or NETWORKS)
