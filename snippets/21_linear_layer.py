# ---
# jupyter:
#   page:
#     teaches:
#       E2: The layer
#       E3: How far from 0?
#     level: beginner
#     read_first: [12_shapes, 20_one_piece_at_a_time]
# ---

# %% [markdown]
# # A linear layer
#
# The layer that [took the place of our weight](20_one_piece_at_a_time.py) had one input.
# A **linear layer** may have several: it multiplies each by a weight of its own, adds the products, and adds one more number, the bias.
# We give the numbers 1, 2, 3, 4 to such a layer and work out by hand what it answers.
# Then we measure how far the answer is from 0: its squared error is 5.60.
# You need to know what the [shape](12_shapes.py) of a tensor is.

# %%
import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from torch import nn

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## The layer
#
# `nn.Linear(4, 1)` makes a layer with four inputs and one output.
# Its weights form a matrix with one row per output and one column per input.
# There is one bias per output.
# Together they are the parameters of the layer, the numbers that training will change.
# `numel` counts the elements of a tensor.

# %% tags=["predict"] ask="How many numbers does this layer have to learn?" answers=["numbers to learn: 4", "numbers to learn: 8", "numbers to learn: 5"] why="Each input has a weight; the bias belongs to the output, and there is one output."
layer = nn.Linear(4, 1).to(device)

print("weight:", tuple(layer.weight.shape))
print("bias:  ", tuple(layer.bias.shape))
print("numbers to learn:", sum(p.numel() for p in layer.parameters()))

# %% [markdown]
# Nobody has trained this layer yet, but it has values already.
# PyTorch draws them at random between $-1/\sqrt{n}$ and $1/\sqrt{n}$, where $n$ is the number of inputs.
# With four inputs that is between −0.5 and 0.5.
# The seed above makes it draw the same values each time.
# A GPU draws other numbers from the same seed; so on this site the CPU draws, and `to(device)` moves what it drew.
# Where nothing is drawn, a tensor is made on the device, with `device=device`.

# %%
print("weights:", "  ".join(f"{w:.4f}" for w in layer.weight[0]))
print("bias:   ", f"{layer.bias[0]:.4f}")
assert all(p.abs().max() <= 0.5 for p in layer.parameters())  # for every seed

# %% [markdown]
# ## The output, by hand
#
# The layer adds up four products and a bias.
# We do it one at a time.

# %%
x = torch.tensor([1.0, 2.0, 3.0, 4.0], device=device)  # (4,)

total = layer.bias[0]
print(f"{'bias':>15}  sum {total:7.4f}")
for weight, value in zip(layer.weight[0], x, strict=True):
    total = total + weight * value
    print(f"{weight:7.4f} times {value:.0f}  sum {total:7.4f}")

# %% [markdown]
# ## The output, by the layer
#
# A layer is called like a function.
# The answer is a tensor with one element, because the layer has one output.

# %%
output = layer(x)  # (4,) -> (1,)
print(f"output {output[0]:.4f}, shape {tuple(output.shape)}")
assert torch.isclose(output[0], total)

# %% [markdown]
# The same in one line is a matrix product.
# The weights have the shape (1, 4), so they are transposed to (4, 1) first: $y = x W^\top + b$.

# %%
matrix_output = x @ layer.weight.T + layer.bias  # (4,) @ (4, 1) + (1,) -> (1,)
print(f"output {matrix_output[0]:.4f}, shape {tuple(matrix_output.shape)}")
assert torch.allclose(matrix_output, output)

# %% [markdown]
# ## What each input adds
#
# Where does the output come from?
# Each input adds its weight times its value.
# Look for the inputs that pull the output up, and those that pull it down.

# %% alt="Bars: what each input and the bias add, and their sum, below zero"
parts = (layer.weight[0] * x).tolist() + layer.bias.tolist()
labels = [f"input {value:.0f}" for value in x] + ["bias"]

fig, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
ax.bar(labels, parts, label="part")
ax.bar(["output"], [sum(parts)], label="sum of the parts")
ax.axhline(0, color="gray", linewidth=0.8)
ax.set(ylabel="value", title=f"The parts add up to {sum(parts):.2f}")
ax.legend(loc="lower left")
plt.show()

# %% [markdown]
# From this start the second input alone pulls up.
# The weight of the first is so small that its bar cannot be seen.
# The third and the fourth have large values and weights below zero, so they decide; another seed would draw another picture.

# %%
for part, label in sorted(zip(parts, labels)):
    print(f"{part:7.4f} from {label}")
assert abs(sum(parts) - output.item()) < 1e-5

# %% [markdown]
# ## Several rows at once
#
# A layer takes any number of rows at once, each with four values, and answers each row by itself.
# The last dimension has to be 4; it becomes 1.

# %% tags=["predict"] ask="`x` gave -2.3663; what does `2 * x` give, the second output?" answers=["-4.7326", "-4.5401"] why="The products double, but the bias, which is the third output, is added once and not twice."
rows = torch.stack([x, 2 * x, 0 * x])  # (3, 4)
row_outputs = layer(rows)  # (3, 4) -> (3, 1)

print(tuple(rows.shape), "->", tuple(row_outputs.shape))
print("outputs:", "  ".join(f"{value:.4f}" for value in row_outputs[:, 0]))
assert torch.allclose(row_outputs[0], output)
assert torch.allclose(row_outputs[2], layer.bias)

# %% [markdown]
# The last row is all zeros, so its output is the bias.
#
# A row of three values does not fit four weights.
# The message names two shapes: that of the row, and that of the transposed weights.

# %%
try:
    layer(torch.ones(1, 3, device=device))
except RuntimeError as error:
    print(error)
else:
    raise AssertionError("three values should not fit")

# %% [markdown]
# ## How far from 0?
#
# Suppose that the right answer for our input were 0.
# The mean squared error takes the difference of every output to its target, squares it, and averages.
# With one output there is one square, and nothing to average.

# %%
target = torch.zeros(1, device=device)  # (1,), like the output

loss_by_hand = ((output - target) ** 2).mean()
print(f"({output[0]:.4f} - {target[0]:.0f})² = {loss_by_hand:.2f}")

# %% [markdown]
# PyTorch has this loss in two spellings.
# `nn.MSELoss()` makes an object: you make it once, with its settings, and then call it like a layer.
# `F.mse_loss`, from the package `torch.nn.functional`, is a function and called directly.
# Both compute the same.

# %%
criterion = nn.MSELoss()
loss = criterion(output, target)

print(f"nn.MSELoss {loss:.2f}, F.mse_loss {F.mse_loss(output, target):.2f}")
assert torch.isclose(loss, loss_by_hand)
assert torch.isclose(F.mse_loss(output, target), loss_by_hand)

# %% [markdown]
# Give output and target the same shape, always.
# The page on [batches](25_batches.py) shows what happens otherwise.
#
# With three rows there are three squares, and it matters whether we take their mean or their sum.

# %%
row_targets = torch.zeros(3, 1, device=device)
mean_loss = F.mse_loss(row_outputs, row_targets)
sum_loss = F.mse_loss(row_outputs, row_targets, reduction="sum")

print(f"mean {mean_loss:.2f}, sum {sum_loss:.2f}")
assert torch.isclose(sum_loss, 3 * mean_loss)

# %% [markdown]
# ## Try it yourself
#
# **1.** How many numbers does `nn.Linear(3, 5)` have to learn?
# Work it out, and put what you get into `count`; then let PyTorch count.

# %% tags=["solution"]
wide_layer = nn.Linear(3, 5)
print([tuple(p.shape) for p in wide_layer.parameters()])
count = sum(p.numel() for p in wide_layer.parameters())
print(count)
assert count == 5 * 3 + 5 == 20

# %% [markdown]
# **2.** Make a layer `adder` that adds its four inputs, and nothing else.
# `nn.init.ones_` and `nn.init.zeros_` fill a tensor with ones and with zeros.

# %% tags=["solution"]
adder = nn.Linear(4, 1).to(device)
nn.init.ones_(adder.weight)
nn.init.zeros_(adder.bias)
print(f"{adder(x)[0]:.1f}")
assert adder(x)[0] == 1 + 2 + 3 + 4

# %% [markdown]
# **3.** Two outputs are 1 and 3, their targets 0 and 0.
# What is the MSE, `from_zero`?
# And if the targets are 2 and 2, `from_two`?

# %% tags=["solution"]
pair = torch.tensor([1.0, 3.0])
from_zero = F.mse_loss(pair, torch.zeros(2)).item()  # (1 + 9) / 2
from_two = F.mse_loss(pair, torch.full((2,), 2.0)).item()  # (1 + 1) / 2
print(from_zero)
print(from_two)
assert from_zero == 5 and from_two == 1

# %% [markdown]
# ## What next
#
# The layer answers, and the loss says how wrong the answer is.
# On the [next page](22_one_step_then_many.py) the five numbers move until the answer is right.
# To fit such a formula by least squares is two hundred years old; a network is several such layers with something in between.
