# ---
# jupyter:
#   page:
#     teaches:
#       B6: The last batch's loss for the epoch's
#       C11: Batches of exactly four
#       E15: A sigmoid or a ReLU on the logits
#     level: intermediate
#     read_first: [26_neural_network, 31_softmax_and_cross_entropy]
# ---

# %% [markdown]
# # Mistakes of old tutorials
#
# Five old tutorials lie behind this site, and each made mistakes that are still made today.
# None of those on this page raises an error: the program runs, and what it does or reports is worse than it seems.
# We run each mistake, measure what it costs, and mend it: two that spoil the training, then three that spoil what is measured.
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
# Half of the points are for training, half are held out.

# %%
num_classes, num_features = 10, 10
centres = 2 * torch.randn(num_classes, num_features)
labels = torch.arange(2000) % num_classes
points = centres[labels] + torch.randn(2000, num_features)

train_x, test_x = points.to(device).split(1000)
train_y, test_y = labels.to(device).split(1000)
print(tuple(train_x.shape), tuple(test_x.shape), train_y[:12].tolist())

# %% [markdown]
# The model has one hidden layer.
# `train` is the usual loop; `judge` looks at all points at once, when the weights are at rest.

# %%
batch_size = 20
learning_rate = 0.03  # slow enough to see who learns faster


def new_model():
    hidden = nn.Linear(num_features, 32)
    return nn.Sequential(hidden, nn.ReLU(), nn.Linear(32, num_classes)).to(device)


def train(model, num_epochs=3):
    """Cross entropy, plain gradient descent, mini-batches."""
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    for epoch in range(num_epochs):
        for rows in torch.randperm(len(train_x)).split(batch_size):
            loss = F.cross_entropy(model(train_x[rows]), train_y[rows])
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
# We compare the three, each from the same five starts, since one start may be lucky.
# Three epochs are enough for the raw scores, and not for the others.

# %%
endings = {"raw": nn.Identity(), "sigmoid": nn.Sigmoid(), "ReLU": nn.ReLU()}
mean_accuracy = dict.fromkeys(endings, 0.0)
for start in range(5):
    for name, ending in endings.items():
        torch.manual_seed(start)
        model = nn.Sequential(new_model(), ending)
        train(model)
        loss, error = judge(model, test_x, test_y)
        mean_accuracy[name] += (1 - error) / 5

for name, share in mean_accuracy.items():
    print(f"{name:8}held-out accuracy {share:.3f}")
assert mean_accuracy["raw"] > 0.94
assert mean_accuracy["raw"] > mean_accuracy["sigmoid"] + 0.05
assert mean_accuracy["raw"] > mean_accuracy["ReLU"] + 0.05

# %% [markdown]
# What does the sigmoid spoil?
# It leaves scores between 0 and 1, so the best it can say is 1 for the right class and 0 for the nine others.
# The softmax of that is far from certainty, and below that loss no training can go.

# %%
best = torch.eye(num_classes)[:1]  # a 1 for class 0, a 0 for the others
probability = best.softmax(dim=1)[0, 0].item()
floor = F.cross_entropy(best, torch.tensor([0])).item()
print(f"at best: probability {probability:.3f}, loss {floor:.3f}")
assert math.isclose(floor, math.log(1 + 9 / math.e), rel_tol=1e-5)

# %% [markdown]
# The ReLU has another fault: a score below 0 becomes 0, and through it no gradient flows.
# Where all scores are negative, all classes look alike, and the network learns nothing from such a point.

# %%
scores = torch.tensor([[-1.0, -2.0, -3.0]], requires_grad=True)
F.cross_entropy(scores.relu(), torch.tensor([1])).backward()
print("gradient through the ReLU", scores.grad.tolist())
assert scores.grad.abs().max() == 0

# %% [markdown]
# Cure: take the last sigmoid or ReLU away.
# What both cost on CIFAR-10 is on the pages about a [fully connected](42_fully_connected.py) and a [convolutional](45_convolutional_network.py) network.
#
# ## Squared error on a probability
#
# An old recipe squeezed its one output through a sigmoid and used the mean squared error.
# The loss that fits is binary cross entropy (BCE), here in the form that takes the logit itself.
# The right answer is 1; the gradient tells how hard each loss pulls a logit upwards.

# %%
logits = torch.linspace(-8, 8, 161)
losses = {
    "squared error": lambda z, y: F.mse_loss(z.sigmoid(), y, reduction="sum"),
    "BCE": lambda z, y: F.binary_cross_entropy_with_logits(z, y, reduction="sum"),
}
pull = {}
for name, loss_function in losses.items():
    z = logits.clone().requires_grad_()
    loss_function(z, torch.ones_like(z)).backward()
    pull[name] = -z.grad
    print(f"{name:14}pull at logit {logits[0]:.0f}: {pull[name][0]:.4f}")
assert pull["BCE"][0] > 1000 * pull["squared error"][0]

# %% [markdown]
# At −8 the model is sure, and wrong.
# In the picture, look at the left end: the one curve is near 1, the other near 0.

# %% alt="Pull against logit: BCE falls from 1 to 0, squared error is a low hump"
fig, ax = plt.subplots(figsize=(6, 3.2))
for (name, curve), style in zip(pull.items(), ["--", "-"]):
    ax.plot(logits, curve, style, label=name)
ax.set(xlabel="logit (the right answer is 1)", ylabel="pull upwards")
ax.legend()
plt.show()

# %% [markdown]
# The squared error hardly pulls where the model is most wrong.
# Cure: `BCEWithLogitsLoss`; the page about [rings](35_rings.py) trains a whole network with each of the two.
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
assert (np.diff(true_loss) < 0).all() and (np.diff(mean_loss) < 0).all()
assert (np.diff(last_loss) > 0).sum() >= 3

# %% [markdown]
# Cure: report the running mean, weighted by batch size; it costs nothing.
#
# ## Errors counted while the weights change
#
# An error counted during the epoch belongs to no model: each batch was judged by other weights.
# In the first epoch those were wrong, on average, more than twice as often as the ones at its end.

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
# Change the batch size to 20 and it runs as before.

# %%
seen = torch.zeros(num_classes)
for part in test_y.split(batch_size):
    for i in range(4):
        seen[part[i]] += 1
print("test points counted, by class:", seen.int().tolist())
assert seen.sum() == len(test_y) / 5 and seen.min() == 0

# %% [markdown]
# It looked at the first four of each batch, a fifth of all; as our points come in the order of their classes, six classes were never seen.
# Had the last batch been smaller than four, `part[i]` would have raised an `IndexError`: the lucky case.
# Cure: no loop over the points at all.
# `bincount` counts each class among all points, and among those that a model gets right, here after one epoch.

# %%
model = new_model()
train(model, num_epochs=1)
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

# %% tags=["solution"]
for count in [10, 100]:
    best = 2 * torch.eye(count)[:1] - 1  # 1 for the right class, −1 for the others
    floor = F.cross_entropy(best, torch.tensor([0])).item()
    print(f"{count} classes: {floor:.3f}")
    assert math.isclose(floor, math.log(1 + (count - 1) / math.e**2), rel_tol=1e-5)

# %% [markdown]
# **2.** Take the mean of the accuracies of batches of 300.
# The last batch has 100 points: is that still the accuracy of all?
# Make up a case where it is far off.

# %% tags=["solution"]
made_up = torch.ones(1000)
made_up[900:] = 0  # the model is wrong on all of the last batch
mean_of_means = torch.stack([part.mean() for part in made_up.split(300)]).mean()
print(f"mean of the batches {mean_of_means:.2f}, of all points {made_up.mean():.2f}")
assert mean_of_means < made_up.mean() - 0.1

# %% [markdown]
# ## What next
#
# The [next page](52_more_mistakes.py) has more mistakes, about data, shapes, types and Python itself.
