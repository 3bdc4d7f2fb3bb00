# ---
# jupyter:
#   page:
#     teaches:
#       C9: In small numbers
#       D3: Linear and logistic regression
#       D4: "Softmax, step by step"
#     level: beginner
#     read_first: [24_logistic_regression]
# ---

# %% [markdown]
# # Softmax and cross entropy
#
# A picture of a digit goes in, ten probabilities come out, and one number says how wrong they are.
# This page takes that way apart and computes each step by hand, for one digit of MNIST.
# Each step is then checked against PyTorch's own function for it.
# No training loop stands here; that comes [two pages on](33_mnist_logistic_regression.py).
# You should know [logistic regression](24_logistic_regression.py), which chooses between two.

# %%
import matplotlib.pyplot as plt
import torch
from torch import nn

from load import mnist

# %% [markdown]
# ## Linear and logistic regression
#
# Both compute a score, $wx + b$.
# They differ in what the score stands for.
#
# | | linear | logistic | ten classes |
# |---|---|---|---|
# | outcome | a number | yes or no | one of ten |
# | features | numbers | numbers | numbers |
# | answer | the score | its sigmoid | softmax of ten scores |
# | cost | squared error | binary cross entropy | cross entropy |
#
# They share the rest: features times weights plus bias, a cost that is a mean over the samples, and gradient descent to make it small.
# The right column of the table is what this page is about.
#
# ## From an image to a vector
#
# A linear model takes a list of features.
# An MNIST image is a square of 28 × 28 grey values from 0 to 255, which we scale to lie between 0 and 1.
# Row after row in one line makes 784 features of it.

# %%
data = mnist()
image = data.test_images[1] / 255  # (28, 28)
label = data.test_labels[1].item()
x = image.reshape(784)
print(f"{tuple(image.shape)} -> {tuple(x.shape)}, a {label}")
assert x[5 * 28 + 10] == image[5, 10]  # row 5, column 10

# %% alt="A digit of 28 by 28 pixels, and beside it the same 784 values as one long curve"
fig, (left, right) = plt.subplots(1, 2, figsize=(5.5, 2.6), layout="constrained")
left.imshow(image.numpy(), cmap="gray")
left.set(title=f"image {tuple(image.shape)}", xlabel="column", ylabel="row")
right.plot(x, linewidth=0.8)
right.set(title=f"vector {tuple(x.shape)}", xlabel="feature", ylabel="grey value")
plt.show()

# %% [markdown]
# A peak of the curve is a stroke, crossed by one row of the image.
# The model will not know which features were neighbours.
#
# ## Ten scores
#
# With ten classes there is a row of 784 weights and a bias for each class.
# The rows make a matrix $W$ of shape (10, 784), and all ten scores are $Wx + b$.
#
# Gradient descent would find $W$ and $b$.
# Here we take the plainest weights that do something: row $k$ is the average image of digit $k$ minus the average of all ten such images.
# The bias makes the score 0 halfway between these two averages.
# So a score above 0 means: nearer to the average of this digit than to that of all.

# %%
train_images = data.train_images.reshape(-1, 784)
mean_of = [train_images[data.train_labels == k].float().mean(dim=0) for k in range(10)]
digit_means = torch.stack(mean_of) / 255  # (10, 784)
overall_mean = digit_means.mean(dim=0)  # (784,)

W = digit_means - overall_mean  # (10, 784)
b = -(W * (digit_means + overall_mean) / 2).sum(dim=1)  # (10,)
scores = W @ x + b  # (10, 784) @ (784,) + (10,) = (10,)
print(f"fitted on {len(train_images):,} images")
print("scores", " ".join(f"{value:.1f}" for value in scores))

# %% [markdown]
# The class with the largest score is the guess.
# Written out, score $k$ is half of $-\lVert x - m_k \rVert^2$, where $m_k$ is the average of digit $k$, plus a part that is the same for all ten.
# So the guess is the digit whose average lies nearest: a **nearest-mean** classifier.

# %%
test_x = data.test_images.reshape(-1, 784) / 255  # (10000, 784)
guesses = (test_x @ W.T + b).argmax(dim=1)  # (10000, 10) -> (10000,)
# Distances (10000, 10), and the nearest of each row, (10000,):
nearest = torch.cdist(test_x, digit_means).argmin(dim=1)
accuracy = (guesses == data.test_labels).float().mean().item()
print(f"guess for our image {scores.argmax()}, label {label}")
print(f"right on {accuracy:.1%} of {len(test_x)} images")
assert accuracy > 0.6 and (guesses == nearest).float().mean() > 0.999

# %% [markdown]
# No gradient has moved these weights, and yet they are fitted: the averages use the labels of all 60,000 training images.
#
# ## The target: one-hot
#
# The target has the same shape as the answer, ten numbers: a 1 at the right class and 0 elsewhere.

# %%
one_hot = nn.functional.one_hot(torch.tensor(label), num_classes=10)  # (10,)
print(f"{label} -> {one_hot.tolist()}")
assert one_hot.argmax() == label and one_hot.sum() == 1

# %% [markdown]
# ## Softmax, step by step
#
# Scores can be negative and have no common scale; probabilities must be positive and sum to 1.
# Two steps lead there:
#
# 1. $e^s$ of every score $s$, which is positive and keeps the order;
# 2. each divided by the sum of all ten.

# %%
exponentials = torch.exp(scores)
total = exponentials.sum()
p = exponentials / total
print(f"the exponentials sum to {total:.2f}")
print(f"the probabilities sum to {p.sum():.2f}")
assert torch.allclose(p, torch.softmax(scores, dim=0))
assert torch.allclose(p, torch.softmax(scores + 1, dim=0))  # differences only

# %% [markdown]
# In the picture each row is a class.
# See how the exponential stretches the gaps between the largest scores and flattens the negative ones.
# The division only changes the scale.


# %%
def draw_steps(steps):
    """A panel for each step, with ten bars and their values."""
    shape = {"figsize": (5.5, 3.2), "sharey": True, "layout": "constrained"}
    fig, axes = plt.subplots(1, len(steps), **shape)
    for ax, (name, values) in zip(axes, steps.items()):
        bars = ax.barh(range(10), values.tolist())
        ax.bar_label(bars, fmt="{:.2f}", padding=2, fontsize=9)
        ax.set(title=name, xticks=[], yticks=range(10))
        ax.margins(x=0.8)  # room for the values
    axes[0].set_ylabel("class")
    axes[0].invert_yaxis()
    plt.show()


# %% alt="Ten scores, their exponentials, and the probabilities, as bars with numbers"
draw_steps({"score": scores, "exp(score)": exponentials, "probability": p})

# %% [markdown]
# Softmax looks at differences only, so adding 1 to all scores changes nothing; where one score alone grows by 1, the ratio of its probability to each other one grows $e$ times.
#
# ## Cross entropy, step by step
#
# The cost should be 0 when the right class has the probability 1, and grow the smaller that probability is.
# Again there are two steps:
#
# 1. $-\log p$ of every class, with the natural logarithm;
# 2. times the one-hot target, summed, so that only the right class is left.

# %%
surprise = -torch.log(p)
loss = (one_hot * surprise).sum()
print(f"-log {p[label]:.4f} = {loss:.4f}")
assert torch.isclose(loss, -torch.log(p[label]))

# %% alt="Ten bars of minus log p, the one-hot target, and their product, a single bar"
draw_steps({"-log p": surprise, "one-hot": one_hot, "product": one_hot * surprise})

# %% [markdown]
# So cross entropy with a one-hot target is $-\log$ of the right class's softmax.
# `nn.CrossEntropyLoss` does all of it at once, from the raw scores and the number of the class.
# Scores that go into a softmax are called **logits**, as those that go into a sigmoid are.

# %%
criterion = nn.CrossEntropyLoss()
print(f"{criterion(scores, torch.tensor(label)):.4f}")
assert torch.isclose(criterion(scores, torch.tensor(label)), loss, atol=1e-5)

# %% [markdown]
# ## The gradient
#
# Which way should each score move?
# The loss is the logarithm of the sum of all $e^s$, minus the score of the right class.
# Where score $k$ grows, the first part grows by $e^{s_k}$ divided by the sum, which is $p_k$; the second by 1 if $k$ is the right class, else by 0.
# So the gradient is $p$ minus the one-hot target.

# %% tags=["predict"] ask="The right class, 2, has p = 0.63. What is the gradient of the loss with respect to its score?" answers=["-0.63", "0.63", "-0.37"] why="It is p less the one-hot target, and negative where the loss falls as the score grows: at the right class only."
logits = scores.clone().requires_grad_()
criterion(logits, torch.tensor(label)).backward()
gradient = p - one_hot  # (10,)
print("by hand  ", " ".join(f"{value:.2f}" for value in gradient))
print("autograd ", " ".join(f"{value:.2f}" for value in logits.grad))
assert torch.allclose(gradient, logits.grad, atol=1e-5) and abs(gradient.sum()) < 1e-5

# %% [markdown]
# A step against it, at a rate of 1, raises the right score by what its probability lacks to 1, and lowers each other score by its probability.
# The ten add up to 0.
#
# ## In one function
#
# Softmax and logarithm in two steps fail where one step does not.
# Take two scores that are 200 apart, and the lower one is right.

# %%
far = torch.tensor([[0.0, 200.0]])  # a batch of one
two_steps = -torch.log(torch.softmax(far, dim=1))[0, 0]
one_step = criterion(far, torch.tensor([0]))
print(f"two steps {two_steps}, one step {one_step}")
assert two_steps.isinf() and one_step == 200

# %% [markdown]
# $e^{-200}$ is too small for a 32-bit number and becomes 0, whose logarithm is infinite.
# Only differences count, so one may subtract the largest score first, and the logarithm undoes its exponential on paper: $\log p_k = s_k - \log \sum e^s$.
# That is what `log_softmax` and `nn.CrossEntropyLoss` do.
#
# The shape of the second argument decides what it means.
# One number for each row is its class, and must be whole, of 64 bits (or a byte).
# Numbers in the shape of the logits are probabilities, and must be decimal.
# The wrong dtype raises an error, as with a decimal class.

# %%
three = torch.tensor([[2.0, 1.0, 0.1]])
as_class = criterion(three, torch.tensor([0]))
as_probabilities = criterion(three, torch.tensor([[1.0, 0.0, 0.0]]))
print(f"class {as_class:.4f}, probabilities {as_probabilities:.4f}")
assert as_class == as_probabilities
try:
    criterion(three, torch.tensor([0.0]))
except RuntimeError as error:
    print("decimal class:", type(error).__name__)

# %% [markdown]
# ## In small numbers
#
# With three classes everything can be checked on paper.
# First two answers in probabilities, where the right class is the first: $-\log 0.7$ and $-\log 0.1$.
# Then two answers in logits, and class 0 is right again.

# %% tags=["predict"] ask="Where the right class has a probability of 0.1, what is the loss?" answers=["0.9000", "2.3026", "1.0000"] why="The logarithm is the natural one, and it punishes a small probability far harder than 1 minus p would."
target = torch.tensor([1.0, 0.0, 0.0])
for answer in ([0.7, 0.2, 0.1], [0.1, 0.3, 0.6]):
    small_loss = -(target * torch.tensor(answer).log()).sum()
    print(f"{answer}  loss {small_loss:.4f}")

for row in ([2.0, 1.0, 0.1], [0.5, 2.0, 0.3]):
    small_loss = criterion(torch.tensor([row]), torch.tensor([0]))  # a batch of one
    p_right = torch.softmax(torch.tensor(row), dim=0)[0]
    print(f"{row}  p {p_right:.4f}  loss {small_loss:.4f}")
    assert torch.isclose(small_loss, -torch.log(p_right))

# %% [markdown]
# Last a batch of three samples, whose classes are 2, 0 and 1, with good logits and with bad ones.
# The loss of a batch is the mean; `log_softmax` is softmax and logarithm in one step, and `[range(3), classes]` takes from each row the column of its class.

# %%
classes = torch.tensor([2, 0, 1])
good = torch.tensor([[0.1, 0.2, 0.9], [1.1, 0.1, 0.2], [0.2, 2.1, 0.1]])
bad = torch.tensor([[0.8, 0.2, 0.3], [0.2, 0.3, 0.5], [0.2, 0.2, 0.5]])
for name, logits in [("good", good), ("bad", bad)]:
    each = -torch.log_softmax(logits, dim=1)[range(3), classes]  # (3,)
    print(f"{name:4} loss {criterion(logits, classes):.4f}")
    assert torch.isclose(criterion(logits, classes), each.mean())

# %% [markdown]
# ## Play with it
#
# The first two answers in logits, to change: drag a score, or choose another right class.
# Bars show the probabilities and the gradient, $p$ minus one-hot; where the right class has little probability, the loss is steep, and where it has nearly all, the gradient is nearly 0.
# Raise all scores by 1 and see what stays; step against the gradient a few times and see what it does to the loss.
#
# <div data-widget="softmax" data-examples="[[2.0, 1.0, 0.1], [0.5, 2.0, 0.3]]">
# <p>On the page's own site, and with JavaScript, here are sliders for three to five scores, with the probabilities, the loss and the gradient that follow from them.</p>
# </div>

# %% [markdown]
# ## Try it yourself
#
# **1.** Someone applies softmax first and gives the result to `nn.CrossEntropyLoss`.
# How small can the loss become, for three classes: `smallest`?

# %% tags=["solution"]
perfect = torch.tensor([[1.0, 0.0, 0.0]])
smallest = criterion(perfect, torch.tensor([0]))
print(f"{smallest:.4f}")
assert 0.5 < smallest < 0.6

# %% [markdown] tags=["solution"]
# The loss applies softmax itself, and takes the probabilities for logits.
# Even a perfect answer costs more than one half then; logits must go in raw.

# %% [markdown]
# **2.** A model has a single output, and its labels are decimal, 1 and 0, in the shape of that output.
# Call the output of two samples `single`, a tensor with `requires_grad=True`, and their loss by `nn.CrossEntropyLoss` `single_loss`, and go backward from it.
# What are the loss and `single.grad`?

# %% tags=["solution"]
single = torch.tensor([[3.0], [-2.0]], requires_grad=True)
single_loss = criterion(single, torch.tensor([[1.0], [0.0]]))
single_loss.backward()
print(f"loss {abs(single_loss.item()):.1f}, gradient {single.grad.abs().sum():.1f}")
assert single_loss == 0 and single.grad.abs().sum() == 0

# %% [markdown] tags=["solution"]
# The softmax of one score is 1, whatever the score, so there is nothing to learn, and no error either.
# A single output asks a yes-or-no question and wants `nn.BCEWithLogitsLoss`.

# %% [markdown]
# ## What next
#
# The [next page](32_mnist_data.py) looks at the digits themselves and how to load them, and the one after trains $W$ and $b$.
# Cross entropy comes from information theory: it is the mean length of messages in a code that was made for other frequencies.
