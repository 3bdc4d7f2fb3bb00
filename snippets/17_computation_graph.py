# ---
# jupyter:
#   page:
#     teaches:
#       C3: A cell of a recurrent network
#       D2: The graph
#     level: beginner
#     read_first: [16_autograd]
# ---

# %% [markdown]
# # The computation graph
#
# The notes that [autograd](16_autograd.py) takes form a graph: of each result, what it was made of.
# Here we walk along such a graph, and see which number `backward` carries from note to note.
# A short formula ends at a gradient of 4.5, by autograd and on paper.
# Then we do the same with a cell of a recurrent network, whose graph has branches.

# %%
import matplotlib.pyplot as plt
import torch

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## The graph
#
# We take four ones, add 2, square, multiply by 3, and take the mean.

# %%
x = torch.ones(2, 2, device=device, requires_grad=True)
y = x + 2
square = y**2
z = 3 * square
out = z.mean()
print(f"y {y.tolist()}\nz {z.tolist()}\nout {out.item()}")

# %% [markdown]
# Each result holds the note of the operation that made it, `grad_fn`, named after it: `MeanBackward0`.
# The note's `next_functions` are the notes of its operands.
# Together they are the **graph** of the computation.
# We walk it from its end to a **leaf**, a tensor that was given and not computed.
# In the place of a leaf's operation stands a note that knows the tensor, its `variable`, and will add to its `grad`.


# %%
def operands(node):
    """The notes that a note leads to; a constant, such as the 3, has none."""
    return [operand for operand, _ in node.next_functions if operand is not None]


def name(node):
    """The operation; for a leaf, the shape of its tensor."""
    operation = node.name().removesuffix("Backward0")
    return operation if operands(node) else f"leaf {tuple(node.variable.shape)}"


node = out.grad_fn
while operands(node):
    print(name(node), end=", ")
    node = operands(node)[0]
print(name(node))

# %% [markdown]
# Mean, times 3, to the power of 2, plus 2: our formula backwards, down to the tensor `x`.
#
# ## What backward carries
#
# `backward` takes the same walk with a number in its hand, for each element.
# It starts with 1: the result changes by 1 where it changes by 1.
# At each note it multiplies by the derivative of that operation alone.
# That derivatives along a chain multiply is the **chain rule**.
#
# | note | its derivative | carried on |
# |---|---|---|
# | mean of four | $1/4$ | $1/4$ |
# | times 3 | $3$ | $3/4$ |
# | square of $y = 3$ | $2y = 6$ | $4.5$ |
# | plus 2 | $1$ | $4.5$ |
#
# Only leaves keep the number, in `grad`, unless another tensor is asked to with `retain_grad`.
# We ask them all.

# %%
steps = {"x": x, "x + 2": y, "squared": square, "times 3": z, "mean": out}
for tensor in steps.values():
    tensor.retain_grad()
out.backward()

for label, tensor in reversed(steps.items()):
    carried = tensor.grad.flatten()[0]  # the same for all four elements
    print(f"{label:8}  gradient {carried:.2f}")
    assert (tensor.grad == carried).all()

# %% [markdown]
# On paper the same in one go: an element of $x$ contributes $\frac{1}{4} \cdot 3 (x + 2)^2$ to the mean.
# The derivative of that is $\frac{6}{4}(x + 2)$, which is 4.5 at $x = 1$.

# %%
print(f"data {x.detach().tolist()}\ngrad {x.grad.tolist()}")
assert torch.equal(x.grad, 6 / 4 * (x.detach() + 2))

# %% [markdown]
# In the picture, one element travels to the right, above, and its gradient comes back below.

# %% alt="A chain of five boxes; above it the values 1, 3, 9, 27, 27, below the gradients"
fig, ax = plt.subplots(figsize=(7, 1.8), layout="constrained")
for place, (label, tensor) in enumerate(steps.items()):
    value, carried = tensor.flatten()[0].item(), tensor.grad.flatten()[0].item()
    ax.text(place, 0, label, ha="center", va="center", size=12)
    ax.text(place, 0.6, f"{value:g}", ha="center", va="center", color="C0", size=12)
    ax.text(place, -0.6, f"{carried:g}", ha="center", va="center", color="C1", size=12)
    ax.text(place - 0.5, 0.6, "→" if place else "", color="C0", size=12)
    ax.text(place - 0.5, -0.6, "←" if place else "", color="C1", size=12)
ax.set(xlim=(-0.7, len(steps) - 0.3), ylim=(-1, 1))
ax.set_title("values above, gradients below")
ax.axis("off")
plt.show()

# %% [markdown]
# Read it from the right: 1, a quarter, three quarters, 4.5, 4.5.
#
# ## A cell of a recurrent network
#
# A **recurrent** network reads a sequence piece by piece.
# Here a piece $x$ has ten numbers, and the network remembers twenty, $h$.
# After the piece it remembers $\tanh(W_x x^\top + W_h h^\top)$ instead, where $\tanh$ squeezes every number to between −1 and 1.
# The $\top$, in code `T`, stands for the transpose.
# `requires_grad_` comes last, so that the leaves are the tensors on the device.

# %% tags=["predict"] ask="What shape has `next_h`?" answers=["(20, 1)", "(1, 20)", "(20, 20)"] why="A matrix times a column is a column, with as many numbers as the matrix has rows."
x = torch.randn(1, 10).to(device).requires_grad_()
h = torch.randn(1, 20).to(device).requires_grad_()
W_x = torch.randn(20, 10).to(device).requires_grad_()
W_h = torch.randn(20, 20).to(device).requires_grad_()

next_h = torch.tanh(W_x @ x.T + W_h @ h.T)  # (20, 10) @ (10, 1) + (20, 20) @ (20, 1)
print(tuple(next_h.shape))

# %% [markdown]
# This graph has branches.
# We draw it by walking it; look for the leaves.


# %% alt="A tree from Tanh at the top to four leaves"
def draw(ax, node, depth=0, column=0):
    """Draw a note over its operands; return its place and the next free column."""
    places = []
    for operand in operands(node):
        place, column = draw(ax, operand, depth + 1, column)
        places.append(place)
    here = sum(places) / len(places) if places else column
    color = None if places else "C1"  # leaves stand out
    ax.text(here, -depth, name(node), color=color, size=13, ha="center", va="center")
    for place in places:
        ax.plot([here, place], [-depth - 0.25, -depth - 0.75], color="gray")
    return here, column if places else column + 1


fig, ax = plt.subplots(figsize=(6, 3), layout="constrained")
draw(ax, next_h.grad_fn)
ax.axis("off")
plt.show()

# %% [markdown]
# `Mm` is a matrix product and `Permute` a transposition.
# The leaves are $W_x$, $x$, $W_h$ and $h$, and each will get its gradient.
#
# ## Backward from many numbers
#
# Until now `backward` started from one number; here there are twenty, and it must be told how much each counts.
# We want each to count 1, so we pass ones, in the shape of `next_h`.
# An old recipe for this cannot run: nothing in it requires a gradient, and its ones have another shape.
# PyTorch refuses both:

# %%
ones = torch.ones_like(next_h)  # (20, 1)
for result, start in [(next_h.detach(), ones), (next_h, ones.T)]:
    try:
        result.backward(start)
    except RuntimeError as error:
        print(error)
    else:
        raise AssertionError("this should be refused")

# %% [markdown]
# With both mended it runs, and we can check it on paper.
# The derivative of $\tanh$ is $1 - \tanh^2$; call it $d$, one number for each of the twenty.
# The gradients are $d\,x$ and $d\,h$ for the weights, $d^\top W_x$ and $d^\top W_h$ for $x$ and $h$.

# %% tags=["predict"] ask="What is the first line, the shape of the gradient of `W_x`?" answers=["gradient of shape (20, 1)", "gradient of shape (20, 10)", "gradient of shape (10, 20)"] why="A gradient has one slope for each number of its tensor, so it has the shape of that tensor."
next_h.backward(ones)
with torch.no_grad():
    d = 1 - next_h**2  # (20, 1)
    by_hand = {W_x: d @ x, W_h: d @ h, x: d.T @ W_x, h: d.T @ W_h}
for tensor, gradient in by_hand.items():
    assert torch.allclose(tensor.grad, gradient, atol=1e-5)
    print("gradient of shape", tuple(tensor.grad.shape))

# %% [markdown]
# ## Try it yourself
#
# **1.** In $a^2 + 3a$ the number $a$ is used twice, so two paths lead back to it.
# What becomes of the two numbers that arrive?
# Try a tensor `a` of 5.0.

# %% tags=["solution"]
a = torch.tensor(5.0, requires_grad=True)
(a**2 + 3 * a).backward()
print(a.grad.item())  # they are added: 2 · 5 along the one, 3 along the other
assert a.grad == 2 * 5 + 3

# %% [markdown]
# **2.** Show that to pass a vector to `backward` is to multiply by it, sum, and go back from that one number.
# Do the first with a tensor `a`, and the second with its equal, `b`.

# %% tags=["solution"]
counts = torch.tensor([1.0, 10.0, 100.0])
a = torch.ones(3, requires_grad=True)
(a**2).backward(counts)
b = torch.ones(3, requires_grad=True)
(counts * b**2).sum().backward()
print(a.grad.tolist(), b.grad.tolist())
assert torch.equal(a.grad, b.grad)

# %% [markdown]
# ## What next
#
# With autograd, a model may have as many weights as we like.
# The [next page](20_one_piece_at_a_time.py) trades our loop, piece by piece, for the parts that PyTorch has ready.
# Walking the graph backwards is called reverse-mode differentiation; Seppo Linnainmaa described it in 1970, years before networks were commonly trained by it.
