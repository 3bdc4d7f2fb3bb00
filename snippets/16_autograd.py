# ---
# jupyter:
#   page:
#     teaches:
#       C3: A cell of a recurrent network
#       D2: The graph
#       E4: A tensor that has a gradient
#     level: beginner
#     read_first: [11_tensors, 15_gradient_descent_by_hand]
# ---

# %% [markdown]
# # Autograd
#
# PyTorch finds gradients by itself: it notes every operation, and then goes back through its notes.
# This is **autograd**, short for automatic gradient.
# On the [page before](15_gradient_descent_by_hand.py) we derived the gradient of the loss on paper.
# Autograd finds the same gradients, and $w$ is 1.9512 after ten epochs, as it was by hand.
# Then we look at the notes, and at the gradients of a cell of a recurrent network.

# %%
import matplotlib.pyplot as plt
import torch

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## A tensor that has a gradient
#
# `requires_grad=True` asks PyTorch to note what is done with a tensor.
# Such a tensor has a place for its gradient, `grad`, that holds `None` at first.
# `backward`, called on a loss, computes the gradient with respect to the tensor and puts it there.
# Here are a weight and an input, and the loss of one prediction, whose target is 4.
# On paper, the gradient is $2x(xw - 4)$ with respect to the weight, and likewise $2w(xw - 4)$ with respect to the input.

# %%
w = torch.tensor(1.0, device=device, requires_grad=True)
x = torch.tensor(2.0, device=device, requires_grad=True)
loss = (x * w - 4.0) ** 2
print(f"loss {loss.item()}, gradients {w.grad} and {x.grad}")
loss.backward()
print(f"for the weight {w.grad.item()}, for the input {x.grad.item()}")
with torch.no_grad():  # nothing in here is noted
    assert w.grad == 2 * x * (x * w - 4.0)
    assert x.grad == 2 * w * (x * w - 4.0)

# %% [markdown]
# ## Training
#
# The data is that of the page before, now in tensors.
# The inputs are given and stay as they are, so only the weight requires a gradient.

# %%
inputs = torch.tensor([1.0, 2.0, 3.0], device=device)
targets = torch.tensor([2.0, 4.0, 6.0], device=device)
learning_rate = 0.01  # as on the page before
num_epochs = 10
w = torch.tensor(1.0, device=device, requires_grad=True)

# %% [markdown]
# For each point:
#
# 1. compute its loss;
# 2. call `backward`, which fills `w.grad`;
# 3. step against the gradient, without noting it, for the step is no part of the loss;
# 4. set the gradient to zero, because `backward` adds to what is there.

# %%
for epoch in range(num_epochs):
    for x, y in zip(inputs, targets):
        loss = (x * w - y) ** 2
        loss.backward()
        if epoch == 0:
            print(f"x = {x:.0f}  gradient {w.grad.item():9.4f}")
        with torch.no_grad():
            w -= learning_rate * w.grad
        w.grad.zero_()
print(f"after {num_epochs} epochs w = {w.item():.4f}")
assert abs(w.item() - 1.9512) < 1e-4

# %% [markdown]
# The gradients are those that we derived, and $w$ arrives where it arrived by hand.
#
# ## What if we forget to zero?
#
# Then each step uses the sum of all gradients so far.
# We leave out number 4, train three times as long, and note where $w$ goes.

# %%
w = torch.tensor(1.0, device=device, requires_grad=True)
path = [w.item()]
for x, y in list(zip(inputs, targets)) * 3 * num_epochs:
    loss = (x * w - y) ** 2
    loss.backward()  # adds to the gradients of all steps before
    if len(path) <= 3:
        print(f"x = {x:.0f}  gradient {w.grad.item():9.4f}")
    with torch.no_grad():
        w -= learning_rate * w.grad
    path.append(w.item())

# %% [markdown]
# From the second on, the gradients are wrong: −9.84 is the sum of −7.84 and the −2.0 of the first.
# In the picture, does $w$ come to rest at 2, the dashed line?

# %% alt="w against step: it swings between 1 and 3 and does not come to rest at 2"
fig, ax = plt.subplots(figsize=(6, 3))
ax.plot(path)
ax.axhline(2, color="gray", linestyle="--")
ax.set(xlabel="step", ylabel="w", title=f"{len(path) - 1} steps without zeroing")
plt.show()
assert min(path[-30:]) < 1.2 and max(path[-30:]) > 2.8

# %% [markdown]
# It swings like a pendulum: whenever $w$ arrives at 2, the old gradients push it on.
#
# ## The graph
#
# Now the notes themselves.
# We take four ones, add 2, square, multiply by 3, and take the mean.

# %%
x = torch.ones(2, 2, device=device, requires_grad=True)
y = x + 2
z = 3 * y**2
out = z.mean()
print(f"y {y.tolist()}\nz {z.tolist()}\nout {out.item()}")

# %% [markdown]
# Each result holds the note of the operation that made it, `grad_fn`, named after it: `MeanBackward0`.
# The note's `next_functions` are the notes of its operands.
# Together they are the **graph** of the computation.
# We walk it from its end to a **leaf**, a tensor that was given and not computed.


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
# `backward` takes the same walk and multiplies by one derivative at each note, which is the chain rule.
# It adds what it has at the end to `x.grad`.
#
# On paper, an element of $x$ contributes $\frac{1}{4} \cdot 3 (x + 2)^2$ to the mean.
# The derivative of that is $\frac{6}{4}(x + 2)$, which is 4.5 at $x = 1$.
# `detach` gives the data of a tensor without its notes.

# %%
out.backward()
print(f"data {x.detach().tolist()}\ngrad {x.grad.tolist()}")
assert torch.equal(x.grad, 6 / 4 * (x.detach() + 2))

# %% [markdown]
# ## A cell of a recurrent network
#
# A **recurrent** network reads a sequence piece by piece.
# Here a piece $x$ has ten numbers, and the network remembers twenty, $h$.
# After the piece it remembers $\tanh(W_x x^\top + W_h h^\top)$ instead, where $\tanh$ squeezes every number to between −1 and 1.
# The $\top$, in code `T`, transposes a matrix: its rows become columns.
# `requires_grad_` comes last, so that the leaves are the tensors on the device.

# %%
x = torch.randn(1, 10).to(device).requires_grad_()
h = torch.randn(1, 20).to(device).requires_grad_()
W_x = torch.randn(20, 10).to(device).requires_grad_()
W_h = torch.randn(20, 20).to(device).requires_grad_()

next_h = torch.tanh(W_x @ x.T + W_h @ h.T)  # (20, 10) @ (10, 1) + (20, 20) @ (20, 1)
print(tuple(next_h.shape))

# %% [markdown]
# This graph has branches.
# We draw it, and the one before, by walking them; look for the leaves.


# %% alt="Two graphs: a chain from Mean to one leaf, a tree from Tanh to four leaves"
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


fig, axes = plt.subplots(1, 2, figsize=(7, 3.2), width_ratios=[1, 4])
for ax, result, title in zip(axes, [out, next_h], ["out", "next_h"], strict=True):
    draw(ax, result.grad_fn)
    ax.set_title(title, size=13, pad=16)
    ax.axis("off")
plt.show()

# %% [markdown]
# `Mm` is a matrix product and `Permute` a transposition.
# The leaves are $W_x$, $x$, $W_h$ and $h$, and each will get its gradient.
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

# %%
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
# **1.** Take a step without `torch.no_grad()`.
# What does PyTorch say, and why?

# %% tags=["solution"]
try:
    w -= learning_rate * w.grad  # a leaf is given; it cannot be a result as well
except RuntimeError as error:
    print(error)
else:
    raise AssertionError("this should be refused")

# %% [markdown]
# **2.** Only leaves keep their gradient, unless another tensor is asked to, with `retain_grad()`.
# What is the gradient of the mean of $3y^2$ with respect to $y = x + 2$?

# %% tags=["solution"]
y = torch.ones(2, 2, device=device, requires_grad=True) + 2
y.retain_grad()
(3 * y**2).mean().backward()
print(y.grad.tolist())  # that of x, because adding 2 has the derivative 1

# %% [markdown]
# ## What next
#
# With autograd, a model may have as many weights as we like.
# The [next page](21_linear_layer.py) starts with four of them, in a layer.
# Walking the graph backwards is called reverse-mode differentiation; it is older than the networks that it trains.
