# ---
# jupyter:
#   page:
#     teaches:
#       C12: Three ways to an answer
#       C13: What PyTorch adds to NumPy
#       D7: The packages
#       E17: How to read this site
#     level: beginner
#     read_first: []
# ---

# %% [markdown]
# # What learning is
#
# Is this digit a 3 or an 8?
# Here a program answers in three ways: by a rule that we write, by four numbers that we choose, and by numbers that it finds for itself.
# The rule is right about 87 % of digits it has not seen; the program that learned from 3,000 examples, about 97 %.
# You should know Python; to have seen an array of NumPy helps.
# You need not follow each line of code yet: a note names the page that explains it.

# %%
import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from torch import nn

from load import mnist

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## Information in, inference out
#
# A person who has seen enough handwriting reads a digit at once, and cannot say how.
# Seeing went in, a judgement comes out, and examples made the difference.
# **Learning from data** gives a program that ability: it contains a **model**, a formula with numbers in it, and examples set the numbers.
#
# An **example** is an input with its right answer, its **label**.
# Ours are small grey images of handwritten digits from a collection called MNIST.
# We keep the 3s and the 8s, and call the share of right answers **accuracy**.
# Some examples are for learning and others, the **test images**, only for judging: to repeat what one was told is no art.


# %%
def threes_and_eights(images, labels):
    """Images as numbers from 0 to 1, and for each whether it is an 8."""
    chosen = (labels == 3) | (labels == 8)  # a mask: page "Shapes"
    images, is_eight = images[chosen].float() / 255, (labels[chosen] == 8).float()
    return images.to(device), is_eight.to(device)


data = mnist()
images, is_eight = threes_and_eights(data.train_images, data.train_labels)
test_images, test_is_eight = threes_and_eights(data.test_images, data.test_labels)
print(f"{len(images)} to learn from, {len(test_images)} to judge by")

# %% [markdown]
# An 8 (label 1) is closed on its left side, a 3 is open: look into the orange window.

# %% alt="Two 3s and two 8s; a window at their lower left holds ink only in the 8s"
fig, axes = plt.subplots(1, 4, figsize=(7, 2.2), layout="constrained")
for ax, i in zip(axes, is_eight[:20].argsort()[[0, 1, -2, -1]]):
    ax.imshow(images[i].cpu().numpy(), cmap="gray")
    ax.add_patch(plt.Rectangle((7.5, 15.5), 5, 4, fill=False, color="C1"))
    ax.set(title=f"label {is_eight[i]:.0f}", xticks=[], yticks=[])
plt.show()

# %% [markdown]
# ## Three ways to an answer
#
# **A rule written by hand.**
# It is an 8 if the window is bright enough.


# %%
def ink(images, row, column):
    """Mean ink in a window, 4 rows high and 5 columns wide, of each image."""
    return images[:, row : row + 4, column : column + 5].mean(dim=(1, 2))


def accuracy(says_eight, is_eight):
    """Share of right answers."""
    return (says_eight == (is_eight == 1)).float().mean().item()


limit = 0.2  # of full white; the first exercise tries others
rule_accuracy = accuracy(ink(test_images, 16, 8) > limit, test_is_eight)
print(f"rule: test accuracy {rule_accuracy:.3f}")

# %% [markdown]
# **Features chosen by hand.**
# A **feature** is a number that says something about the input.
# We choose four, the ink in four windows, and leave it to examples how much each counts.
#
# **Features that are learned.**
# Here we choose nothing: all 784 pixels go into a small **network**.
# Its first **layer** makes 32 numbers of them, its second an answer of those, and examples set the numbers in both.


# %%
def four_windows(images):
    """The ink in four windows of each image: (images, 4)."""
    return torch.stack([ink(images, i, j) for i in (8, 16) for j in (8, 15)], dim=1)


def make_network():
    """784 pixels, 32 numbers, one answer: page "A small neural network"."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 1))


# %% [markdown]
# **Training** is the same for both models: see how wrong the answers are, and move each number a little in the direction that makes them less wrong.
# How little is the **learning rate**; the second exercise finds it by trying.


# %%
def train(model, inputs, labels, learning_rate):
    """Move the model's numbers a hundred times: page "One step, then many"."""
    optimizer = torch.optim.SGD(model.to(device).parameters(), lr=learning_rate)
    for _ in range(100):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(model(inputs)[:, 0], labels).backward()
        optimizer.step()
    return lambda inputs: model(inputs).detach()[:, 0] > 0  # the trained model says 8


# %% [markdown]
# ## More examples, better answers
#
# Now learn from 10 examples, from 30, and so on to 3,000, three times each with other examples, and take the mean of the three test accuracies.

# %% tags=["predict"] ask="With 10 examples, are the four chosen windows ahead, or the network?" answers=["chosen 0.852, learned 0.883", "chosen 0.883, learned 0.852"] why="Ten examples go far towards weighing four windows; which of 784 pixels count takes more of them, so the network leads only later."
counts = [10, 30, 100, 300, 1000, 3000]  # the rates below: see exercise 2
chosen, learned = torch.zeros(2, len(counts), 3)
features, test_features = four_windows(images), four_windows(test_images)
for seed in range(3):
    torch.manual_seed(seed)
    order = torch.randperm(10_000)
    for i, count in enumerate(counts):
        few = order[:count]
        answer = train(nn.Linear(4, 1), features[few], is_eight[few], learning_rate=1)
        chosen[i, seed] = accuracy(answer(test_features), test_is_eight)
        answer = train(make_network(), images[few], is_eight[few], learning_rate=0.3)
        learned[i, seed] = accuracy(answer(test_images), test_is_eight)

for count, a, b in zip(counts, chosen.mean(dim=1), learned.mean(dim=1)):
    print(f"{count:4} examples: chosen {a:.3f}, learned {b:.3f}")

# %% [markdown]
# As a picture: who is ahead on the left, and who still rises on the right?

# %% alt="Test accuracy against examples: the rule is level, one curve stops, one rises"
fig, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
ax.semilogx(counts, learned.mean(dim=1), "o-", label="learned features")
ax.semilogx(counts, chosen.mean(dim=1), "s-", label="chosen features")
ax.axhline(rule_accuracy, color="gray", linestyle="--", label="rule")
ax.set(xlabel="examples", ylabel="test accuracy", title="3 or 8?")
ax.legend()
plt.show()

assert rule_accuracy + 0.01 < chosen[-1].min() < learned[-1].min() - 0.03
assert chosen[-1].mean() < chosen[-3].mean() + 0.015 < learned[-1].mean()

# %% [markdown]
# The rule needs no examples and never improves.
# Four chosen features make good use of ten examples and stop after a few hundred: they leave out what we did not think of.
# The network is given every pixel: it needs more examples, and goes on.
# Whether it owes that to the numbers in its middle, exercise 2 asks.
#
# ## What PyTorch adds to NumPy
#
# PyTorch's arrays, called **tensors**, do what NumPy's do.
# Behind them stands a **device**, the CPU or a GPU, and the same line computes on either.

# %% tags=["predict"] ask="What is the sum of two tensors of three ones?" answers=["[2.0, 2.0, 2.0]", "[1.0, 1.0, 1.0, 1.0, 1.0, 1.0]"] why="A tensor adds element by element, as an array of NumPy does; only a list of Python would become longer."
there = torch.ones(3, device=device)
print((there + there).tolist())

# %% [markdown]
# And what is done with them can be recorded while the program runs.
# Going back through the record gives the **gradient**: how fast the result changes with the number that went in.
# Here a loop multiplies by $x$ until the result is above 10, and nobody has said how often.
# It is a program like any other: it can print, branch, and be stopped in a debugger.

# %%
x = torch.tensor(1.5, requires_grad=True)
y = x
while y < 10:
    y = y * x
    print(f"{y.item():.2f}", end="  ")
y.backward()
print(f"gradient {x.grad.item():.2f}")
assert abs(x.grad.item() - 6 * 1.5**5) < 1e-3  # the loop has computed x to the sixth

# %% [markdown]
# ## The packages
#
# PyTorch serves people who want arrays on a GPU, and people who try out models that nobody has built before.
# It is one such library of several; what you learn about models and gradients holds for the others as well.
#
# | package | what it is for | page |
# |---|---|---|
# | `torch` | tensors and what to do with them | [Tensors](11_tensors.py) |
# | `torch.autograd` | gradients | [Autograd](16_autograd.py) |
# | `torch.nn`, `torch.nn.functional` | what networks are made of, as objects and as functions | [A linear layer](21_linear_layer.py) |
# | `torch.optim` | ways of taking a step | [One step, then many](22_one_step_then_many.py) |
# | `torch.utils.data` | data, a few examples at a time | [Batches](25_batches.py) |
# | `torchvision` | pictures: data sets, models, tools | [MNIST](32_mnist_data.py) |
#
# ## How to read this site
#
# Each page is a script that you can download and run.
# What stands under its cells was printed when it ran, and what it claims, its `assert` lines hold.
# The pages build on each other, and but for the code on this one and what draws pictures, nothing is used before a page has explained it.
# Try the exercises before you unfold their solutions; after the last one stand places to read on.
# PyTorch has a [documentation](https://docs.pytorch.org/docs/stable/), [tutorials](https://docs.pytorch.org/tutorials/) and a [forum](https://discuss.pytorch.org/) where one can ask; its [source code](https://github.com/pytorch/pytorch) is open.
#
# ## Try it yourself
#
# **1.** Try other limits for the rule, from 0.1 to 0.3 and this one among them, on the examples, not on the test images.
# Call the best of them `best_limit`.

# %% tags=["solution"]
shares = {}
for other in [0.1, 0.15, 0.2, 0.25, 0.3]:
    shares[other] = accuracy(ink(images, 16, 8) > other, is_eight)
    print(f"{other}: {shares[other]:.3f}")
best_limit = max(shares, key=shares.get)
assert accuracy(ink(images, 16, 8) > best_limit, is_eight) >= accuracy(
    ink(images, 16, 8) > limit, is_eight
)

# %% [markdown]
# **2.** With 1,000 examples, try four learning rates for each model, and for one without the 32 numbers in the middle.
# Judge on examples from number 10,000 on: they were used neither for learning nor for the test.
# Put the best share of each into a dictionary `best`, under "chosen", "network" and "no middle".

# %% tags=["solution"]
best = {"chosen": 0, "network": 0, "no middle": 0}
for rate in [0.03, 0.1, 0.3, 1]:
    models = [
        ("chosen", nn.Linear(4, 1), features),
        ("network", make_network(), images),
        ("no middle", nn.Sequential(nn.Flatten(), nn.Linear(784, 1)), images),
    ]
    print(f"rate {rate}")
    for name, model, seen in models:
        answer = train(model, seen[:1000], is_eight[:1000], rate)
        share = accuracy(answer(seen[10_000:]), is_eight[10_000:])
        best[name] = max(best[name], share)
        print(f"  {name:9}  {share:.3f}")
assert best["chosen"] < min(best["network"], best["no middle"])

# %% [markdown] tags=["solution"]
# The four windows are best at the last of these rates, and hardly better than at the one before.

# %% [markdown]
# ## What next
#
# In the second exercise, each pixel for itself does as well as the network; [a task of ten digits](37_mnist_deep_classifier.py) needs the middle.
# The [next page](11_tensors.py) begins at the beginning, with a row of four numbers.
# That machines may learn from examples what nobody can write down as rules is an idea of the 1950s; Arthur Samuel's program for draughts gave it its name in 1959.
