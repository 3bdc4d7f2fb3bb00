# ---
# jupyter:
#   page:
#     teaches:
#       C3: Training
#       E4: A tensor that has a gradient
#     level: beginner
#     read_first: [12_shapes, 15_gradient_descent_by_hand]
# ---

# %% [markdown]
# # Autograd
#
# PyTorch finds gradients by itself: it notes the operations that lead to a result, and then goes back through its notes.
# This is **autograd**, short for automatic gradient.
# On the [page before](15_gradient_descent_by_hand.py) we derived the gradient of the loss on paper.
# Autograd finds the same gradients, and $w$ is 1.9512 after ten epochs, as it was by hand.
# Then we make the two mistakes that everybody makes once: we do not clear the gradient, and we go back twice.

# %%
import matplotlib.pyplot as plt
import torch

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## A tensor that has a gradient
#
# `requires_grad=True` asks PyTorch to note what is done with a tensor; its elements must be floating-point numbers.
# Here are a weight and an input, and the loss of one prediction, whose target is 4.
# See how they print.

# %%
w = torch.tensor(1.0, requires_grad=True)
x = torch.tensor(2.0, requires_grad=True)
loss = (x * w - 4.0) ** 2
print(w)
print(loss)

# %% [markdown]
# The loss holds the note of the operation that made it, `grad_fn`: it came from a power, here the square.
# That note leads to the one before, and so on, back to `w` and `x`.
#
# `w` and `x` have a place for their gradient, `grad`, that holds `None` at first.
# `backward`, called on the loss, computes the gradients with respect to both and puts them there.
# This going back from the loss, one operation at a time, is called **back-propagation**.

# %% tags=["predict"] ask="At w = 1 and x = 2, what are the gradients with respect to `w` and `x`?" answers=["tensor(-8.) tensor(-4.)", "tensor(8.) tensor(4.)", "tensor(-4.) tensor(-8.)"] why="Both are below 0, as the prediction is too small; the one for `w` is multiplied by x, the one for `x` by w."
print("before:", w.grad, x.grad)
loss.backward()
print("after: ", w.grad, x.grad)

# %% [markdown]
# On paper, the gradient is $2x(xw - 4)$ with respect to the weight.
# By the same steps, with $x$ and $w$ exchanged, it is $2w(xw - 4)$ with respect to the input.

# %%
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

# %% tags=["predict"] ask="With zeroing, the first two were -2.0000 and -7.8400: what is the second now?" answers=["-4.9200", "-7.8400", "-9.8400"] why="The first step was the same, so the new gradient is too; but it is added to the old one."
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
# ## Without notes
#
# Notes cost time and memory, and where we only want an answer they are of no use.
# In a block under `torch.no_grad()` none are taken.
# `detach` gives the numbers of one tensor, in the same memory, without its notes.

# %%
prediction = 4 * w
with torch.no_grad():
    unnoted = 4 * w
print(
    prediction.requires_grad, unnoted.requires_grad, prediction.detach().requires_grad
)
assert prediction.detach() == unnoted

# %% [markdown]
# NumPy knows nothing of notes.
# Rather than drop them silently, PyTorch refuses, and says what to write.

# %%
try:
    prediction.cpu().numpy()
except RuntimeError as error:
    print(error)
else:
    raise AssertionError("a tensor with notes should not go to NumPy")
assert prediction.detach().cpu().numpy() == unnoted.item()

# %% [markdown]
# A sum over many steps is another place where notes are not wanted.
# Adding up the losses themselves keeps the notes of every step alive; `item` gives a plain number, without any.

# %%
total, noted_total = 0.0, 0.0
for x, y in zip(inputs, targets):
    loss = (x * w - y) ** 2
    total += loss.item()
    noted_total += loss
print(type(total).__name__, noted_total.requires_grad)

# %% [markdown]
# ## Back twice
#
# A note keeps the numbers that its derivative needs, such as the $4w - 8$ that is squared here.
# `backward` throws them away as it goes, to free their memory.
# The loss is computed once, before the loop; the second round misses them.

# %%
loss = (4 * w - 8) ** 2
try:
    for step in range(2):
        print("step", step)
        loss.backward()
except RuntimeError as error:
    print(str(error).split(" (")[0])
else:
    raise AssertionError("going back twice should be refused")

# %% [markdown]
# The message goes on with the advice to keep the notes, `retain_graph=True`.
# In a training loop that is seldom what you want: the notes belong to the old $w$.
# Compute the loss inside the loop, anew for each step.

# %%
for step in range(2):
    loss = (4 * w - 8) ** 2
    loss.backward()
    print("step", step, "done")

# %% [markdown]
# ## Try it yourself
#
# **1.** Take the step `w -= learning_rate * w.grad` without `torch.no_grad()`.
# What does PyTorch say?
# Keep it as a string `message`.

# %% tags=["solution"]
try:
    w -= learning_rate * w.grad  # a leaf, a tensor that was given, cannot be a result
    message = "nothing"
except RuntimeError as error:
    message = str(error)
print(message)
assert "leaf" in message

# %% [markdown]
# **2.** Write `new_w = w - learning_rate * w.grad` instead.
# Nothing is refused, but `backward` will not fill `new_w.grad`: what has `w` that `new_w` has not?
# (Look at `is_leaf`.)

# %% tags=["solution"]
new_w = w - learning_rate * w.grad
print("given:", w.is_leaf, new_w.is_leaf)  # backward fills grad only where it is true
assert w.is_leaf and not new_w.is_leaf

# %% [markdown] tags=["solution"]
# `new_w` was computed and not given, so its `grad` stays `None`, by which the next step would multiply.

# %% [markdown]
# **3.** Check a gradient as we did on the page before, by nudging: that of $\sin(x^2)$ at $x = 1$.
# Let `x` be of `torch.float64`, whose rounding is small beside a nudge, and call what nudging gives `slope`.


# %% tags=["solution"]
def curve(x):
    """A function with a gradient to check."""
    return torch.sin(x**2)


x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
curve(x).backward()
with torch.no_grad():
    slope = (curve(x + 1e-5) - curve(x - 1e-5)) / 2e-5
print(f"{x.grad:.5f} by autograd, {slope:.5f} by nudging")
assert abs(x.grad - slope) < 1e-6

# %% [markdown]
# ## What next
#
# The [next page](17_computation_graph.py) looks at the notes themselves, and at the numbers that travel along them.
