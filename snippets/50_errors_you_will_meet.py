# ---
# jupyter:
#   page:
#     teaches: {}
#     level: beginner
#     read_first: [22_one_step_then_many, 26_neural_network, 31_softmax_and_cross_entropy, 43_convolution]
# ---

# %% [markdown]
# # Errors you will meet
#
# Twelve mistakes that beginners bring to forums again and again.
# Eight stop the program, with a message that says more than it seems to; four go on and give a wrong answer.
# Each is made here, its message is shown as PyTorch words it today, and it is mended.
# Paste a message into the search of this site to find its section.
# You should know a [training loop](22_one_step_then_many.py), a [network](26_neural_network.py) and [cross entropy](31_softmax_and_cross_entropy.py); an exercise has a [convolution](43_convolution.py).

# %%
import warnings
from functools import partial
from textwrap import fill

import torch
import torch.nn.functional as F
from torch import nn

# %% [markdown]
# Most of the time a mistake is written as a function, and this one says what became of it.


# %%
def outcome(action):
    """What a call raises, the first line of it; "no error" if it raises nothing."""
    try:
        action()
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return "no error"


torch.manual_seed(0)
layer = nn.Linear(4, 2)
rows = torch.randn(8, 4)
print(outcome(lambda: layer(rows)))
assert outcome(lambda: layer(rows)) == "no error"

# %% [markdown]
# ## Shapes that do not fit
#
# A layer for four features gets rows of three.
# The message names both matrices: the batch, and the transposed weight.
# The inner two numbers, 3 and 4, would have to be equal.

# %%
narrow = torch.randn(8, 3)
message = outcome(lambda: layer(narrow))
print(message)
assert "8x3 and 4x2" in message
assert outcome(lambda: nn.Linear(3, 2)(narrow)) == "no error"

# %% [markdown]
# Cure: print the shapes on both sides, `x.shape` and `layer.weight.shape`.
# The first number of a layer is that of the features, not that of the rows.
#
# ## Whole numbers for decimal ones
#
# Python's whole numbers become tensors of type Long, and a layer has weights of type Float.

# %%
counts = torch.tensor([[1, 2, 3, 4]])
message = outcome(lambda: layer(counts))
print(message)
assert "Long" in message and "Float" in message
assert outcome(lambda: layer(counts.float())) == "no error"

# %% [markdown]
# Cure: `counts.float()`, once, where the data is made.
#
# ## Two devices
#
# The model is on the GPU and the batch is not, or the reverse.
# To make that mistake without a GPU we use the device `meta`, whose tensors have a shape and no values.

# %%
elsewhere = rows.to("meta")
message = outcome(lambda: layer(elsewhere))
print(message)
assert "device" in message and "meta" in message
assert outcome(lambda: nn.Linear(4, 2).to("meta")(elsewhere)) == "no error"

# %% [markdown]
# With a GPU the words are others, and not run here:
# `RuntimeError: Expected all tensors to be on the same device, but got mat1 is on cpu, different from other tensors on cuda:0`.
# Where two tensors are added, the end is `but found at least two devices, cuda:0 and cpu!`
#
# Cure: choose `device` once, at the head of the program, and send both there: `model.to(device)`, and each batch, `x.to(device)`.
# For a model `.to` is enough; of a tensor, keep what it returns.
#
# ## One number from many
#
# `.item()` makes a Python number of a tensor that holds one.
# A loss that was not averaged holds one for each output, here 16.

# %%
targets = torch.zeros(8, 2)
losses = F.mse_loss(layer(rows), targets, reduction="none")  # (8, 2)
message = outcome(losses.item)
print(message)
print("backward, too:", outcome(losses.backward))
assert "16 elements" in message
assert "scalar" in outcome(losses.backward)
assert outcome(losses.mean().item) == outcome(losses.mean().backward) == "no error"

# %% [markdown]
# Cure: `.mean()` first; `.tolist()` if you want all of them.
# `backward`, too, starts from one number, unless it is told with `gradient=` how much each of them weighs.
#
# ## Backward a second time
#
# `backward` uses up what the forward pass has kept.
# This happens where a loss is computed before the loop and used in it.

# %%
loss = F.mse_loss(layer(rows), targets)
print("first: ", outcome(loss.backward))
message = outcome(loss.backward)
print("second:", fill(message, 79))
assert "second time" in message
for _ in range(2):
    assert outcome(F.mse_loss(layer(rows), targets).backward) == "no error"

# %% [markdown]
# Cure: compute the loss anew in each step, from a forward pass of that step.
# `retain_graph=True`, which the rest of the message offers, is no cure.
# One layer then runs, with gradients of old weights; where layers follow each other, the step in between has changed what the first of them needs.

# %%
two_layers = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
second = []
for model in layer, two_layers:
    loss = F.mse_loss(model(rows), targets)
    loss.backward(retain_graph=True)
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    second.append(outcome(loss.backward))
    print(fill(second[-1].partition(": [")[0], 79))
assert second[0] == "no error" and "modified by an inplace operation" in second[1]

# %% [markdown]
# ## A step by hand, under the eyes of autograd
#
# A weight that requires a gradient is a leaf of the graph, and may not be changed in place while autograd records.

# %%
weight = torch.tensor(3.0, requires_grad=True)
(weight * weight).backward()


def step():
    """One step of gradient descent, in place."""
    weight.sub_(0.1 * weight.grad)


message = outcome(step)
print(message)
with torch.no_grad():
    print("without recording:", outcome(step))
assert "in-place" in message
assert abs(weight.item() - 2.4) < 1e-6

# %% [markdown]
# Cure: `with torch.no_grad():`, or an optimizer, which does that for you.
#
# ## The labels of cross entropy
#
# Cross entropy wants logits (rows, classes), and one whole number per row, from 0 to the number of classes less one.
# Four ways to get the labels wrong:

# %%
logits = torch.randn(4, 3)
wrong_labels = {
    "decimal": torch.tensor([0.0, 1.0, 2.0, 0.0]),
    "a column": torch.tensor([[0], [1], [2], [0]]),
    "from 1 to 3": torch.tensor([1, 2, 3, 1]),
    "too few": torch.tensor([0, 1, 2]),
}

# %% [markdown]
# Each message names its cause.

# %%
messages = {}
for name, labels in wrong_labels.items():
    messages[name] = outcome(partial(F.cross_entropy, logits, labels))
    print(f"{name}:\n    {messages[name]}")
assert "Long" in messages["decimal"] and "multi-target" in messages["a column"]
assert "Target 3" in messages["from 1 to 3"] and "(3)" in messages["too few"]

# %% [markdown]
# Cures: `.long()`, `.squeeze(1)`, subtract 1, and look where rows were lost.
# On a GPU the third says `AcceleratorError: CUDA error: device-side assert triggered`, at some later line; run the step on the CPU to see this message.

# %%
decimal, column, from_one, too_few = wrong_labels.values()
for labels in decimal.long(), column.squeeze(1), from_one - 1:
    assert outcome(partial(F.cross_entropy, logits, labels)) == "no error"
assert outcome(partial(F.cross_entropy, logits[:3], too_few)) == "no error"

# %% [markdown]
# ## An array from a tensor that learns
#
# What comes out of a model carries its graph along, and NumPy knows of no graphs.

# %%
message = outcome(layer(rows).numpy)
print(fill(message, 79))
assert "detach" in message
assert outcome(layer(rows).detach().numpy) == "no error"

# %% [markdown]
# Cure: as the message says, `.detach()`; where you only measure, compute under `torch.no_grad()` from the start.
#
# ## A column against a row
#
# From here on nothing stops.
# Answers are a column, (rows, 1), labels a row, (rows,), and the difference is a square of all pairs.
# PyTorch warns, and a warning is easily lost in the output of a training.

# %% tags=["predict"] ask="Both answers are right. What is the loss?" answers=["answers 0.5", "answers 0.0", "answers 1.0"] why="Each of two answers meets both labels, and two of those four pairs are 1 apart."
answers, labels = torch.tensor([[0.0], [1.0]]), torch.tensor([0.0, 1.0])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    loss = F.mse_loss(answers, labels)
print(f"loss of perfect answers {loss:.1f}, and {len(caught)} warning")
print(fill(f"UserWarning: {caught[0].message}", 79))

# %% [markdown]
# Cure: give both the same shape before they meet.

# %%
assert loss == 0.5 and F.mse_loss(answers.squeeze(1), labels) == 0

# %% [markdown]
# [More mistakes](52_more_mistakes.py) shows what the square looks like, [batches](25_batches.py) what it does to a training.
#
# ## Gradients that pile up
#
# `backward` adds to the gradients that are there.
# Without `zero_grad` each step takes those of all steps before along.


# %% tags=["predict"] ask="It starts 2 away. How far away does it get in the last 10 of 20 steps if nothing is cleared?" answers=["not cleared 0.17", "not cleared 1.02", "not cleared 2.02"] why="The gradients that piled up carry it past the best weight, as far out on the other side, and back: it swings, and does not come to rest."
def train(clears):
    """Largest distance from the best weight, 2, in the last 10 of 20 steps from 0."""
    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.1)
    distances = []
    for _ in range(20):
        loss = (weight - 2).square().sum()
        if clears:
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        distances.append(abs(weight.item() - 2))
    return max(distances[-10:])


print(f"cleared {train(clears=True):.2f} away, not cleared {train(clears=False):.2f}")
assert train(clears=True) < 0.2 and train(clears=False) > 2

# %% [markdown]
# With clearing it has come near by then, and comes nearer in each step.
# Cure: `optimizer.zero_grad()`, right before `backward`.
#
# ## Judged while it trains
#
# Dropout sets values to 0 at random while a model trains, and does nothing after `eval()`.
# Who forgets `eval()` gets another answer each time.

# %%
model = nn.Sequential(nn.Linear(4, 64), nn.Dropout(0.5), nn.Linear(64, 1))
with torch.no_grad():
    model.train()
    forgotten = torch.stack([model(rows[:1]) for _ in range(1000)]).flatten()
    model.eval()
    steady = torch.stack([model(rows[:1]) for _ in range(1000)]).flatten()
print(f"{len(forgotten.unique())} answers, in eval() {len(steady.unique())}")
print(f"graph: {model(rows).requires_grad}, under no_grad: {steady.requires_grad}")
assert len(forgotten.unique()) > 900 and len(steady.unique()) == 1
assert model(rows).requires_grad and not steady.requires_grad

# %% [markdown]
# Cure: `model.eval()` before you judge, `model.train()` before you go on.
# `torch.no_grad()` is another matter: with it no graph is made, and no answer changes.
# Who forgets it is told nothing: each answer keeps its graph, and where answers are added up, [memory grows](52_more_mistakes.py#a-result-thrown-away).
#
# ## Not a number
#
# One NaN makes everything NaN that it touches, first the loss, then all weights.
# It comes from a calculation that has no answer: 0 divided by 0, infinity less infinity, as where the learning rate was too large and a logit ran away, the logarithm of a negative number, or 0 times infinity, as here: $0 \log 0$ should be 0.
# It also comes from an infinite slope, as that of a square root at 0, even where the loss itself is fine.

# %%
p = torch.tensor([0.0, 1.0])
entropy = -(p * p.log()).sum()
x = torch.zeros(2, requires_grad=True)
length = x.square().sum().sqrt()
length.backward()
print(f"entropy {entropy}, length {length.item()}, its gradient {x.grad.tolist()}")
assert entropy.isnan() and x.grad.isnan().all()

# %% [markdown]
# `torch.autograd.detect_anomaly` finds the operation whose gradient is the first NaN; it checks each gradient, which is slow, and stops there.

# %%
x.grad = None
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it says that it is slow, and names the line
    with torch.autograd.detect_anomaly():
        message = outcome(x.square().sum().sqrt().backward)
print(message)
assert "nan" in message

# %% [markdown]
# It names the square, not the root: the root hands back an infinite slope, and the square multiplies that by 0.
# So look also at what comes next in the formula.
#
# Cure: functions that know their ends, such as `torch.special.xlogy` for $x \log y$ and `F.cross_entropy` for a softmax and a logarithm; or a little added under the root.

# %%
assert torch.special.xlogy(p, p).sum() == 0
(x.square().sum() + 1e-12).sqrt().backward()
print("gradient", x.grad.tolist())
assert x.grad.abs().max() == 0

# %% [markdown]
# ## Try it yourself
#
# **1.** `nn.Conv2d(3, 6, 5)` gets a picture of shape (32, 32, 3), as an image file has it.
# PyTorch says: `RuntimeError: Given groups=1, weight of size [6, 3, 5, 5], expected input[1, 32, 32, 3] to have 3 channels, but got 32 channels instead`.
# What does it take for the channels, and what helps?
# Call what the layer gives then `maps`.

# %% tags=["solution"]
picture = torch.randn(32, 32, 3)
convolution = nn.Conv2d(3, 6, 5)
print(fill(outcome(lambda: convolution(picture)), 79))
maps = convolution(picture.permute(2, 0, 1))
assert maps.shape[-3:] == (6, 28, 28)

# %% [markdown] tags=["solution"]
# It takes the first number for the channels; PyTorch wants them first.

# %% [markdown]
# **2.** Make a tensor `numbers`, multiply it by a number, sum it, and call `backward`.
# It says: `RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn`.
# What is missing?
# Mend it, and call `backward` again.

# %% tags=["solution"]
numbers = torch.ones(3)
print(outcome((2 * numbers).sum().backward))
(2 * numbers.requires_grad_()).sum().backward()
assert numbers.grad is not None

# %% [markdown] tags=["solution"]
# Nothing in it requires a gradient.

# %% [markdown]
# ## What next
#
# The [next page](51_mistakes.py) has mistakes that five old tutorials made, and what each costs.
