# ---
# jupyter:
#   page:
#     teaches:
#       B6: The last batch's loss for the epoch's
#       C11: Batches of exactly four
#       E15: A sigmoid or a ReLU on the logits
#     level: intermediate
#     read_first: [26_neural_network, 31_softmax_and_cross_entropy, 33_mnist_logistic_regression]
# ---

# %% [markdown]
# # Mistakes of old tutorials
#
# Five old tutorials lie behind this site, and each made mistakes that are still made today.
# None of those on this page raises an error: the program runs, and what it does or reports is worse than it seems.
# We run each mistake, see what it costs, and mend it: two in the training, then three in what is measured.
# You should know a [training loop](26_neural_network.py) and [cross entropy](31_softmax_and_cross_entropy.py).
# Mistakes about data, shapes, types and Python have [a page of their own](52_more_mistakes.py).

# %%
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## A problem to try them on
#
# There are ten classes, each a cloud of points around a centre of its own; a point has ten numbers.
# A third of the points is for training, a third for validation, a third for the test.

# %%
num_classes, num_features = 10, 10


def draw_points(seed):
    """Points of ten clouds, and their labels: to train on, to choose by, to test on."""
    torch.manual_seed(seed)
    centres = 2 * torch.randn(num_classes, num_features)
    labels = torch.arange(3000) % num_classes
    points = centres[labels] + torch.randn(3000, num_features)
    return points.to(device).split(1000), labels.to(device).split(1000)


(train_x, _, test_x), (train_y, _, test_y) = draw_points(seed=0)
print(tuple(train_x.shape), tuple(test_x.shape), train_y[:12].tolist())

# %% [markdown]
# The model has one hidden layer.
# `train` is one epoch of the usual loop; `judge` looks at all points at once, when the weights are at rest.

# %%
batch_size = 20
learning_rate = 0.03  # slow enough to see the first epochs at work


def new_model():
    hidden = nn.Linear(num_features, 32)
    return nn.Sequential(hidden, nn.ReLU(), nn.Linear(32, num_classes)).to(device)


def train(model, x, y, rate):
    """One epoch: cross entropy, plain gradient descent, mini-batches."""
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    for rows in torch.randperm(len(x)).split(batch_size):
        loss = F.cross_entropy(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@torch.no_grad()
def judge(model, x, y):
    """Loss and share of errors of all these points."""
    scores = model(x)
    error = (scores.argmax(dim=1) != y).float().mean().item()
    return F.cross_entropy(scores, y).item(), error


# %% [markdown]
# ## A sigmoid or a ReLU on the logits
#
# Cross entropy takes a softmax of what it is given, so it wants the raw scores, the **logits**.
# Old recipes ended their networks with a sigmoid or a ReLU and then called cross entropy.
# We compare the three at four learning rates, from three starts; each start has other first weights and other points.


# %%
def follow(ending, rate, start, num_epochs=8):
    """Accuracy on validation points after each epoch, at the end on test points."""
    (x, valid_x, test_x), (y, valid_y, test_y) = draw_points(seed=start)
    model = nn.Sequential(new_model(), ending)
    curve = []
    for _ in range(num_epochs):
        train(model, x, y, rate)
        curve.append(1 - judge(model, valid_x, valid_y)[1])
    return curve, 1 - judge(model, test_x, test_y)[1]


endings = {"raw": nn.Identity(), "sigmoid": nn.Sigmoid(), "ReLU": nn.ReLU()}
for name, ending in endings.items():
    for rate in [0.03, 0.1, 0.3, 1.0]:
        curves = [follow(ending, rate, start)[0] for start in range(3)]
        first, *_, last = np.mean(curves, axis=0)
        print(f"{name:7} {rate:4}: {first:.2f} after an epoch, {last:.2f} at the end")

# %% [markdown]
# For each ending we take a rate that is among its best at the end, and eight new starts.
# Only now do we look at the test points.

# %% alt="Raw rises to nearly 1, the sigmoid a little below; the ReLU stays far below"
fig, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
accuracy = {}
for name, rate in [("raw", 0.1), ("sigmoid", 1.0), ("ReLU", 0.3)]:
    runs = [follow(endings[name], rate, start) for start in range(3, 11)]
    shares = [share for _, share in runs]
    accuracy[name], deviation = np.mean(shares), np.std(shares, ddof=1)
    print(f"{name:7} {accuracy[name]:.2f} ± {deviation:.2f}:", end="")
    print("".join(f" {share:.2f}" for share in shares))
    mean_curve = np.mean([curve for curve, _ in runs], axis=0)
    ax.plot(np.arange(len(mean_curve)) + 1, mean_curve, "o-", label=f"{name} at {rate}")
ax.set(xlabel="epoch", ylabel="validation accuracy")
ax.legend()
plt.show()
assert accuracy["raw"] > 0.986 and accuracy["ReLU"] < accuracy["sigmoid"]

# %% [markdown]
# On the three starts by which we chose, raw scores and sigmoid looked equal.
# On eight new ones the sigmoid mostly gets as far, at ten times the rate, but one stays far behind.
# Its rate is the largest that was tried; 0.3 was as good on the first starts, and was not tried on the new ones.
# With the ReLU one class or more is lost from all starts but one, and none of the four rates helps.
#
# What does the sigmoid do?
# It leaves scores between 0 and 1, so the best it can say is 1 for the right class and 0 for the nine others.
# The softmax of that is far from certainty, and below that loss no training can go: the largest score may still be the right one, but its probability means little.
# A sigmoid's slope is a quarter at most, and every gradient is multiplied by it, which a larger rate makes up for.
# Where it is flat, hardly any gradient comes through, and a class can be stuck there.

# %% tags=["predict"] ask="A score of 1 for the right class, 0 for nine others: how probable is it?" answers=["0.500", "0.731", "0.232"] why="The exponential of 1 is only e times that of 0, and there are nine others to share with."
best = torch.eye(num_classes)[:1]  # a 1 for class 0, a 0 for the others
probability = best.softmax(dim=1)[0, 0].item()
floor = F.cross_entropy(best, torch.tensor([0])).item()
print(f"at best: probability {probability:.3f}, loss {floor:.3f}")
assert math.isclose(floor, math.log(1 + 9 / math.e), rel_tol=1e-5)

# %% [markdown]
# The ReLU has another fault: a score below 0 becomes 0, and through it no gradient flows.
# A class whose score is negative for all of its points gets no gradient from them that would raise it, and mostly stays lost; how many are lost depends on the start.

# %%
scores = torch.tensor([[-1.0, -2.0, -3.0]], requires_grad=True)
F.cross_entropy(scores.relu(), torch.tensor([1])).backward()
print("gradient through the ReLU", scores.grad.tolist())
assert scores.grad.abs().max() == 0

# %% [markdown]
# Cure: take the last sigmoid or ReLU away.
# What both do on CIFAR-10 is on the pages about a [fully connected](42_fully_connected.py) and a [convolutional](45_convolutional_network.py) network.
#
# ## Squared error on a probability
#
# An old recipe squeezed its one output through a sigmoid and used the mean squared error.
# The loss that fits is binary cross entropy (BCE), here in the form that takes the logit itself.
# The right answer is 1; the gradient tells how hard each loss pulls a logit of −8, −4 and 0 upwards.

# %% tags=["predict"] ask="At the logit −8, how hard does BCE pull?" answers=["8.0003", "0.9997", "0.0003"] why="BCE's slope is the probability less the label: never more than 1, and almost 1 where a model is sure and wrong."
logits = torch.tensor([-8.0, -4.0, 0.0])
losses = {
    "squared error": lambda z, y: F.mse_loss(z.sigmoid(), y, reduction="sum"),
    "BCE": lambda z, y: F.binary_cross_entropy_with_logits(z, y, reduction="sum"),
}
pull = {}
for name, loss_function in losses.items():
    z = logits.clone().requires_grad_()
    loss_function(z, torch.ones_like(z)).backward()
    pull[name] = -z.grad
    print(f"{name:14}pull", "  ".join(f"{slope:.4f}" for slope in pull[name]))
assert pull["BCE"][0] > 1000 * pull["squared error"][0]

# %% [markdown]
# At −8 the model is sure, and wrong.
# The squared error hardly pulls where the model is most wrong.
# Cure: `BCEWithLogitsLoss`.
# The page about [rings](35_rings.py) trains a whole network with each of the two at several rates; there the squared error costs a larger rate and no more.
#
# ## The last batch's loss for the epoch's
#
# One old recipe sums up a running loss and then prints the loss of the last batch instead.
# In the same loop it counts the errors of the epoch, while the weights still change.
# We train a new model, note all three, and beside them the truth: all training points, judged after the epoch, with the weights at rest.

# %%
model = new_model()
optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
history = []

for epoch in range(20):
    loss_sum, error_sum = 0.0, 0
    for rows in torch.randperm(len(train_x)).split(batch_size):
        scores = model(train_x[rows])
        loss = F.cross_entropy(scores, train_y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(rows)
        error_sum += (scores.argmax(dim=1) != train_y[rows]).sum().item()
    running = loss_sum / len(train_x), error_sum / len(train_x)
    history.append((loss.item(), *running, *judge(model, train_x, train_y)))

last_loss, mean_loss, counted_error, true_loss, true_error = np.array(history).T

# %% [markdown]
# In the picture, compare how calm the lines are.

# %% alt="Loss by epoch: mean and true loss fall smoothly; the last batch jumps"
epochs = np.arange(len(history)) + 1
fig, ax = plt.subplots(figsize=(6, 3.5))
ax.plot(epochs, last_loss, "o:", markersize=4, label="last batch")
ax.plot(epochs, mean_loss, label="running mean")
ax.plot(epochs, true_loss, "--", label="all points, after the epoch")
ax.set(xlabel="epoch", xticks=epochs[1::2])
ax.set(ylabel="training loss", yscale="log")
ax.legend()
plt.show()

# %% [markdown]
# The true loss falls in every epoch, and the running mean follows it.
# The last batch's loss says several times that the training got worse.

# %%
for loss_by_epoch in (true_loss, mean_loss):
    assert (loss_by_epoch[1:] < loss_by_epoch[:-1]).all()
assert (np.diff(last_loss) > 0).sum() >= 4

# %% [markdown]
# Cure: report the running mean, weighted by batch size; it costs nothing.
#
# ## Errors counted while the weights change
#
# An error counted during the epoch belongs to no model: each batch was judged by other weights.
# In the first epoch those were wrong, on average, some three times as often as the ones at its end.

# %%
for epoch in range(3):
    counted, after = counted_error[epoch], true_error[epoch]
    print(f"epoch {epoch + 1}: error counted {counted:.3f}, after it {after:.3f}")
assert counted_error[0] > 2 * true_error[0]

# %% [markdown]
# Cure: after the epoch, judge all points once, in `eval()` mode and without gradients; better still, points that were held out.
#
# ## Batches of exactly four
#
# To get an accuracy per class, an old recipe loops over the test set in batches of four and, inside, over `range(4)`.
# With our larger batches it runs as before.

# %%
seen = torch.zeros(num_classes)
for part in test_y.split(batch_size):
    for i in range(4):
        seen[part[i]] += 1
print("test points counted, by class:", seen.int().tolist())
assert seen.sum() == len(test_y) / 5 and seen.min() == 0

# %% [markdown]
# It looked at the first four of each batch, a fifth of all; as our points take turns, class after class, six classes were never seen.
# Had the last batch been smaller than four, `part[i]` would have raised an `IndexError`: the lucky case.
# Cure: no loop over the points at all.
# `bincount` counts each class among all points, and among those that a model gets right, here after one epoch.

# %%
model = new_model()
train(model, train_x, train_y, learning_rate)
with torch.no_grad():
    right = model(test_x).argmax(dim=1) == test_y

right_by_class = torch.bincount(test_y[right].cpu(), minlength=num_classes)
by_class = right_by_class / torch.bincount(test_y.cpu())
print("accuracy by class:", *[f"{share:.2f}" for share in by_class.tolist()])
assert by_class.max() > by_class.min() + 0.05

# %% [markdown]
# Some classes are learned before others, which a single figure for all ten does not tell.
#
# ## Try it yourself
#
# **1.** Put a tanh on the logits instead of a sigmoid.
# Where is the floor of the loss, for ten classes and for a hundred?
# Put both into a dictionary `floors`, by the number of classes.

# %% tags=["solution"]
floors = {}
for count in [10, 100]:
    best = 2 * torch.eye(count)[:1] - 1  # 1 for the right class, −1 for the others
    floors[count] = F.cross_entropy(best, torch.tensor([0])).item()
    print(f"{count} classes: {floors[count]:.3f}")
assert math.isclose(floors[10], math.log(1 + 9 / math.e**2), rel_tol=1e-5)
assert math.isclose(floors[100], math.log(1 + 99 / math.e**2), rel_tol=1e-5)

# %% [markdown]
# **2.** Take the mean of the accuracies of batches of 300.
# The last batch has 100 points: is that still the accuracy of all?
# Make up a case where it is far off: `made_up`, a tensor of 1,000 decimal numbers, has a 1 for each right answer and a 0 for each wrong one, `mean_of_means` is the mean of the batches.

# %% tags=["solution"]
made_up = torch.ones(1000)
made_up[900:] = 0  # the model is wrong on all of the last batch
mean_of_means = torch.stack([part.mean() for part in made_up.split(300)]).mean()
print(f"mean of the batches {mean_of_means:.2f}, of all points {made_up.mean():.2f}")
assert len(made_up) == 1000 and abs(mean_of_means - made_up.mean()) > 0.1

# %% [markdown]
# ## What next
#
# The [next page](52_more_mistakes.py) has more mistakes, about data, shapes, types and Python itself.
