# ---
# jupyter:
#   page:
#     teaches: {}
#     level: advanced
#     read_first: [46_lenet, 54_draw_a_digit]
# ---

# %% [markdown]
# # Out of Python
#
# A trained network is Python code and the numbers that it learned.
# A phone, a browser or a server in another language has no Python, so what the code computes must be written down in another form.
# Here a network like that of [Draw a digit](54_draw_a_digit.py) becomes a graph of eight operations by `torch.export`, and then a file in the format ONNX.
# Twenty lines of NumPy compute what stands in the file, and so does ONNX Runtime in a process without PyTorch; all get the same numbers.
# At the end the file takes little more than a quarter of its size.
# You should know how a network is [saved and loaded](46_lenet.py#save-and-load).
#
# Besides PyTorch this page needs three packages: `pip install onnx onnxscript onnxruntime`.

# %%
import contextlib
import io
import math
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional as F

from load import mnist

# %%
torch.manual_seed(0)
torch.set_num_threads(1)  # times are compared below
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## A network that takes what others have
#
# Two epochs are enough here, with the learning rate that was best in Draw a digit.

# %%
digits = mnist()
train_images = (digits.train_images / 255).to(device)  # (60000, 28, 28)
train_labels = digits.train_labels.to(device)
hidden = [nn.Linear(28 * 28, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU()]
layers = nn.Sequential(nn.Flatten(), *hidden, nn.Linear(64, 10)).to(device)

num_epochs, batch_size, peak_rate = 2, 128, 0.15
optimizer = torch.optim.SGD(layers.parameters(), lr=peak_rate, momentum=0.9)
num_steps = num_epochs * math.ceil(len(train_images) / batch_size)
schedule = torch.optim.lr_scheduler.OneCycleLR(
    optimizer, peak_rate, num_steps, pct_start=0.2, cycle_momentum=False
)
for epoch in range(num_epochs):
    for rows in torch.randperm(len(train_images)).to(device).split(batch_size):
        logits = layers(train_images[rows])  # (batch, 10)
        loss = F.cross_entropy(logits, train_labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()

# %% [markdown]
# Whoever has the file only will not know that we divided by 255, nor that logits want a softmax.
# So both go into the module: bytes in, chances out.
# A program that was exported keeps the device of its tensors.
# We write it from the CPU, which everybody has.


# %%
class DigitReader(nn.Module):
    """Pictures (batch, 28, 28) of bytes, to chances (batch, 10)."""

    def __init__(self, layers):
        super().__init__()
        self.layers = layers

    def forward(self, digits):
        return self.layers(digits / 255).softmax(dim=1)


reader = DigitReader(layers.cpu()).eval()
test_digits = digits.test_images  # (10000, 28, 28), bytes
with torch.no_grad():
    chances = reader(test_digits)
accuracy = (chances.argmax(dim=1) == digits.test_labels).float().mean().item()
print(f"{accuracy:.1%} of the test digits read")
assert accuracy > 0.969 and test_digits.dtype == torch.uint8

# %% [markdown]
# ## A graph of operations
#
# `torch.export` follows the module once, with the shape of an example, and notes each operation on tensors.
# What it gives back is a graph: operations in order, each with the results that it takes.

# %%
example = test_digits[:2].clone()  # why a clone, we will see
fixed = torch.export.export(reader, (example,))
for node in fixed.graph.nodes:
    if node.op == "call_function":
        print(node.target)

# %% [markdown]
# Class, `Sequential` and `forward` are gone.
# The graph computes exactly what the module did.

# %%
with torch.no_grad():
    assert torch.equal(fixed.module()(example), reader(example))

# %% [markdown]
# The example had two digits.

# %% tags=["predict"] ask="For which numbers of digits does this graph compute chances?" answers=["computed: [2]", "computed: [1, 2]", "computed: [1, 2, 3]"] why="Sizes are noted as they were in the example, unless one says that they may vary, and the graph checks for them."
computed = []
for count in (1, 2, 3):
    try:
        fixed.module()(test_digits[:count])
        computed.append(count)
    except AssertionError as error:
        message = str(error)
print("computed:", computed)

# %%
print(message)

# %% [markdown]
# What may vary has to be said: the first size of `digits` is a batch, of any length.
# (With an example of one digit this would be refused: `torch.export` takes a size of 1 for a constant.)

# %%
batch = torch.export.Dim("batch")
program = torch.export.export(reader, (example,), dynamic_shapes={"digits": {0: batch}})
with torch.no_grad():
    assert torch.equal(program.module()(test_digits), chances)
print(f"{len(test_digits):,} digits at once, the same chances")

# %% [markdown]
# ## What a graph cannot hold
#
# The module below adds a random number, which is no operation on tensors: Python makes it.


# %% tags=["predict"] ask="Three calls of the module, then three of its graph. How many different numbers does each give?" answers=["module 3, graph 1", "module 3, graph 3", "module 1, graph 1"] why="The graph holds the number that random.random() returned while it was made."
class Noisy(nn.Module):
    """Adds a random number, which it takes from Python."""

    def forward(self, x):
        return x + random.random()


noisy, zero = Noisy(), torch.zeros(1)
written = torch.export.export(noisy, (zero,)).module()
module_results = {noisy(zero).item() for _ in range(3)}
graph_results = {written(zero).item() for _ in range(3)}
print(f"module {len(module_results)}, graph {len(graph_results)}")

# %% [markdown]
# Only operations on tensors are noted.
# Whatever else Python does, it does once, while the graph is made.
# What draws by an operation on tensors, as [dropout](47_overfitting.py) does, is part of the graph, and draws anew each time.
# So call `eval()` before: dropout that goes out in training mode stays in it, as the first exercise shows.
#
# An `if` on the values of a tensor would need two graphs, and there are no values yet.
# So `torch.export` refuses; with `strict=True`, for which it reads the code first, it says so in plainer words.
# (What it logs besides is caught, and left out.)


# %%
class Scaled(nn.Module):
    """Divides by 255 what is not yet between 0 and 1."""

    def forward(self, x):
        if x.max() > 1:
            x = x / 255
        return x


try:
    with contextlib.redirect_stderr(io.StringIO()):
        torch.export.export(Scaled(), (zero,), strict=True)
except RuntimeError as error:
    print(str(error).partition("\n")[0])

# %% [markdown]
# "Data-dependent branching" is that `if`.
# `torch.where` has none: it computes both sides, and takes one of them.
# (Where a side is dear, `torch.cond` puts both into the graph, and one is run.)


# %%
class ScaledByWhere(nn.Module):
    """The same, without an `if`."""

    def forward(self, x):
        return torch.where(x.max() > 1, x / 255, x)


written = torch.export.export(ScaledByWhere(), (torch.zeros(2),)).module()
for x in (torch.tensor([1.0, 255.0]), torch.tensor([0.5, 1.0])):
    assert torch.equal(written(x), Scaled()(x))
print("the same on both sides of the if")

# %% [markdown]
# ## Saved with its example
#
# `torch.export.save` writes graph and numbers into one file, which `torch.export.load` reads without the module's class.
# The example goes in as well.

# %% tags=["predict"] ask="Two programs, the first made with `test_digits[:2].clone()`, the second with `test_digits[:2]`. How large is the second file, compared with the first?" answers=["18 times", "1 times", "2 times"] why="A slice is a view: it shares its storage with all 10,000 test digits, and a saved tensor takes its whole storage along."
sliced = torch.export.export(reader, (test_digits[:2],))
files = tempfile.TemporaryDirectory()
folder = Path(files.name)
torch.export.save(fixed, folder / "fixed.pt2")
torch.export.save(sliced, folder / "sliced.pt2")
size, size_of_sliced = (
    (folder / name).stat().st_size for name in ("fixed.pt2", "sliced.pt2")
)
print(f"{size_of_sliced / size:.0f} times as large")

# %%
assert size_of_sliced > test_digits.nbytes > size

# %% [markdown]
# All test digits are in the second file.
# That is not only large: whoever gets the file gets your data.
#
# ## A file for other programs
#
# **ONNX** is a format for such graphs that many programs read.
# The names of what goes in and what comes out are what users of the file will see.

# %%
path = folder / "reader.onnx"
exported = torch.onnx.export(
    program, input_names=["digits"], output_names=["chances"], verbose=False
)
exported.save(path)
graph = onnx.load(path).graph
for node in graph.node:
    print(f"{node.op_type}({', '.join(node.input)})")

# %% [markdown]
# `Gemm` is what this format calls a linear layer, a matrix product and a sum.
# There is one operation more than above: `Div` wants two numbers of one type, so a `Cast` turns bytes to floats first.
# `scalar_tensor_default` is what the bytes are divided by, and `val_6` the shape to bring a picture into; both are among the numbers of the file.
# Besides the graph, the file holds the numbers.

# %%
weights = {w.name: numpy_helper.to_array(w) for w in graph.initializer}
num_bytes = 4 * sum(p.numel() for p in reader.parameters())
print(f"{num_bytes:,} bytes of parameters")
assert num_bytes < path.stat().st_size < 1.1 * num_bytes

# %% [markdown]
# All the rest takes less than a tenth of that.
#
# ## A runtime in twenty lines
#
# A program that computes such graphs is called a **runtime**.
# It is a loop over the nodes, and a function for each kind of them.
# The softmax subtracts the largest logit before, [as PyTorch's does](31_softmax_and_cross_entropy.py).


# %%
def softmax(logits):
    """Chances (batch, 10); no exponential is above 1."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


operations = {
    "Cast": lambda x: x.astype(np.float32),
    "Div": np.divide,
    "Reshape": lambda x, shape: x.reshape(shape),
    "Gemm": lambda x, weight, bias: x @ weight.T + bias,
    "Relu": lambda x: x.clip(min=0),
    "Softmax": softmax,
}


def compute(graph, digits):
    """Chances (batch, 10) of pictures (batch, 28, 28), by NumPy."""
    values = {**weights, "digits": digits}
    for node in graph.node:
        inputs = [values[name] for name in node.input]
        values[node.output[0]] = operations[node.op_type](*inputs)
    return values["chances"]


by_hand = compute(graph, test_digits.numpy())
assert np.abs(by_hand - chances.numpy()).max() < 1e-5
print("the same chances from NumPy")

# %% [markdown]
# For other networks it lacks most operations, and the details that a node keeps in its attributes.
# ONNX Runtime is a library made for that.
# We give it the file in a process of its own, and PyTorch is not even loaded there.

# %%
np.save(folder / "digits.npy", test_digits.numpy())
script = """
import sys
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession("reader.onnx")
(chances,) = session.run(["chances"], {"digits": np.load("digits.npy")})
np.save("chances.npy", chances)
print("PyTorch is loaded:", "torch" in sys.modules)
"""
command = [sys.executable, "-c", script]
run = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
print(run.stdout.strip())
difference = np.abs(np.load(folder / "chances.npy") - chances.numpy()).max()
assert difference < 1e-5
print("the same chances from ONNX Runtime")

# %% [markdown]
# "The same" means within a hundred-thousandth here, since each adds in [its own order](55_same_seed_other_numbers.py).
#
# ## Is it faster?
#
# A graph has no Python between its operations; does that show?
# We give both one thread, PyTorch since the start of the page, let them take turns, and count the shortest time of each.

# %%
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(path, options)


@torch.inference_mode()
def seconds(call, digits, num_calls):
    """Processor time of so many calls."""
    started = time.process_time()
    for _ in range(num_calls):
        call(digits)
    return time.process_time() - started


def speed_up(num_digits, num_calls):
    """How many times faster ONNX Runtime is, the shortest of nine times each."""
    some = test_digits[:num_digits]
    inputs = {"digits": some.numpy()}
    turns = [
        (
            seconds(reader, some, num_calls),
            seconds(lambda x: session.run(None, x), inputs, num_calls),
        )
        for _ in range(9)
    ]
    of_torch, of_runtime = map(min, zip(*turns))
    return of_torch / of_runtime


gains = {"one digit": speed_up(1, 200), "1,000 digits": speed_up(1000, 5)}
print("it gains more with", max(gains, key=gains.get))

# %%
assert gains["one digit"] > 2.1 and gains["one digit"] > 1.2 * gains["1,000 digits"]
print("with one digit more than twice as fast")

# %% [markdown]
# So for single digits it pays most.
# In large batches more of the time goes into the products of matrices, which are the same work for both; how much of the gain is Python's part, and how much the runtime's own, this does not tell.
#
# ## A quarter of the size
#
# Each weight takes four bytes, and [less will do](54_draw_a_digit.py#what-the-browser-gets), here one byte: it is divided by a scale, and rounded to an integer between −127 and 127.
# Such rounding to few values is called **quantisation**.
# Here each row of a weight gets a scale of its own, and the graph a node `DequantizeLinear`, which multiplies with the scales again, so that all else remains as it is.


# %%
def quantize(model, largest=127):
    """A copy of the model whose weights are integers of a byte."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    graph = model.graph
    for old in [w for w in graph.initializer if len(w.dims) == 2]:
        weight = numpy_helper.to_array(old)  # (out, in)
        scale = np.abs(weight).max(axis=1) / largest  # (out,)
        rounded = np.rint(weight / scale[:, None]).astype(np.int8)
        names = [f"{old.name}.rounded", f"{old.name}.scale"]
        node = onnx.helper.make_node("DequantizeLinear", names, [old.name], axis=0)
        graph.node.insert(0, node)
        new = map(numpy_helper.from_array, [rounded, scale], names)
        graph.initializer.remove(old)
        graph.initializer.extend(new)
    return model


# %% [markdown]
# That loses something of each weight, at most half a scale, about as often up as down.
# How many of the test digits are read otherwise?

# %%
small = quantize(onnx.load(path))
small_path = folder / "small.onnx"
onnx.save(small, small_path)
(small_chances,) = onnxruntime.InferenceSession(small_path, options).run(
    None, {"digits": test_digits.numpy()}
)
changed = (small_chances.argmax(axis=1) != chances.argmax(dim=1).numpy()).sum()
assert changed < 10 and small_path.stat().st_size < 0.3 * path.stat().st_size
print("fewer than 10 digits read otherwise")
print("less than 0.3 of the size")

# %% [markdown]
# The file is a little larger than a quarter, since the biases keep their four bytes, and the scales and the nodes that use them are new.
# This saves bytes to send and to store; the tools for quantisation that come with ONNX Runtime can also make it compute with integers.
#
# ## Try it yourself
#
# **1.** Write down a network with dropout in training mode: `nn.Dropout(0.5)` put between the first two of `reader.layers`, in a `DigitReader`.
# Call the chances of `example` that its graph gives in two calls `first` and `second`.
# Are they the same?

# %% tags=["solution"]
with_dropout = nn.Sequential(reader.layers[0], nn.Dropout(0.5), *reader.layers[1:])
forgetful = torch.export.export(DigitReader(with_dropout).train(), (example,)).module()
with torch.no_grad():
    first, second = forgetful(example), forgetful(example)
print("dropout is still at work:", not torch.equal(first, second))
assert first.shape == second.shape == (2, 10) and not torch.equal(first, second)

# %% [markdown]
# **2.** Users of the file want a digit, not ten chances.
# Write a file of a module whose output is named `digit`, the one with the largest chance.
# Let ONNX Runtime read `example` with it, and call the two digits that it gives `read`.


# %% tags=["solution"]
class DigitOnly(DigitReader):
    """Pictures (batch, 28, 28) of bytes, to digits (batch,)."""

    def forward(self, digits):
        return super().forward(digits).argmax(dim=1)


digit_only = torch.onnx.export(
    DigitOnly(reader.layers).eval(), (example,), output_names=["digit"], verbose=False
)
digit_only.save(folder / "digit.onnx")
session = onnxruntime.InferenceSession(folder / "digit.onnx")
(read,) = session.run(["digit"], {"digits": example.numpy()})
print("read:", *read)
assert np.array_equal(np.ravel(read), chances[:2].argmax(dim=1).numpy())

# %% [markdown]
# **3.** With `largest=1` only −1, 0 and 1 are left of each weight.
# How many of the test digits are then read otherwise than by `reader`: `turned`?

# %% tags=["solution"]
coarse = quantize(onnx.load(path), largest=1).SerializeToString()
session = onnxruntime.InferenceSession(coarse)
(coarse_chances,) = session.run(None, {"digits": test_digits.numpy()})
turned = (coarse_chances.argmax(axis=1) != chances.argmax(dim=1).numpy()).sum()
print("more than 1,000 read otherwise")
first_layer = np.abs(weights["layers.1.weight"])
share = (first_layer < first_layer.max(axis=1, keepdims=True) / 2).mean()
print("most weights of the first layer become 0:", share > 0.5)
assert 1_000 < turned < 6_000

# %% [markdown] tags=["solution"]
# A weight that is less than half of the largest of its row becomes 0.
# Fengfu Li and others (2016) trained networks with such weights from the start, and lost little.

# %%
files.cleanup()

# %% [markdown]
# ## What next
#
# `torch.export` is where other ways out of Python begin as well: AOTInductor makes a library for a server of what it wrote, ExecuTorch a program for a phone.
# Neither runs here: one needs a C++ compiler, which not every reader has, the other a package of its own that follows its own releases of PyTorch.
# A file like ours is often somebody else's starting point: [Fine-tuning](65_fine_tuning.py) teaches a trained network something new.
