# ---
# jupyter:
#   page:
#     teaches:
#       C7: Wide and deep
#     level: intermediate
#     read_first: [24_logistic_regression, 26_neural_network]
#     result: accuracy
# ---

# %% [markdown]
# # Wide and deep
#
# Eight measurements of a woman: will she have diabetes within five years?
# An old tutorial trained a network of three layers on this and never asked how often it is right.
# We ask, on held-out rows, and find that it has learned nothing.
# Then we change one thing at a time, until the model beats the plainest guess by more than 0.08.
# You should know [logistic regression](24_logistic_regression.py) and the [neural network](26_neural_network.py).

# %%
import matplotlib.pyplot as plt
import torch
from torch import nn

from load import diabetes

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## The data
#
# The table has a row per woman: eight measurements, scaled to lie between −1 and 1, and a label, 0 for diabetes and 1 for none.
# [Earlier](27_data_sets.py) we read it with a `Dataset` of our own; here we take all of it at once.

# %%
table = diabetes()
features = table.features.to(device)  # (759, 8)
labels = table.labels.float().reshape(-1, 1).to(device)  # (759, 1)
print(tuple(features.shape), tuple(labels.shape))
print("first row:", " ".join(f"{value:.2f}" for value in features[0].tolist()))

# %% [markdown]
# ## What a guess is worth
#
# More than half of the women stay healthy.
# Who says "healthy" to everyone is right about all of those: that is the **majority baseline**.
# A model that does not beat it has learned nothing of use.
#
# 759 rows are few, and a single held-out part would leave much to luck.
# So we cut the table into five parts and train five times, each time with another part held out.
# The mean over the five is what we report.

# %%
num_splits = 5
parts = torch.randperm(len(labels)).chunk(num_splits)
print("rows held out:", [len(part) for part in parts])

splits = []
for i in range(num_splits):
    train_rows = torch.cat([part for j, part in enumerate(parts) if j != i])
    splits.append((train_rows.to(device), parts[i].to(device)))

healthy = torch.stack([labels[test_rows].mean() for _, test_rows in splits])
baseline = healthy.mean().item()
print(f"majority baseline {baseline:.3f}")
assert baseline > 0.5

# %% [markdown]
# ## The old recipe
#
# Layers with 6, 4 and 1 units, a sigmoid after each, binary cross entropy, plain gradient descent with a learning rate of 0.1, and 100 steps, each over all training rows.
# The last sigmoid is part of the [loss](24_logistic_regression.py) on our page, which gives the same result.


# %%
def deep(activation):
    """Three layers that end in a logit."""
    return nn.Sequential(
        *(nn.Linear(8, 6), activation()),  # (rows, 6)
        *(nn.Linear(6, 4), activation()),  # (rows, 4)
        nn.Linear(4, 1),  # (rows, 1)
    )


criterion = nn.BCEWithLogitsLoss()
old_model = deep(nn.Sigmoid).to(device)
print(sum(p.numel() for p in old_model.parameters()), "parameters")

# %% [markdown]
# One split is enough to see what happens.

# %%
num_epochs = 100
train_rows, test_rows = splits[-1]
optimizer = torch.optim.SGD(old_model.parameters(), lr=0.1)

for epoch in range(num_epochs):
    loss = criterion(old_model(features[train_rows]), labels[train_rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 25 == 24:
        print(f"epoch {epoch + 1:3d}  loss {loss.item():.3f}")

with torch.no_grad():
    old_p = torch.sigmoid(old_model(features[test_rows])).flatten().cpu()
print(f"held-out probabilities from {old_p.min():.3f} to {old_p.max():.3f}")
assert old_p.max() - old_p.min() < 0.05

# %% [markdown]
# The loss hardly falls, and everyone gets the same probability.
# The model has found out how frequent the label 1 is, and nothing about anyone.
#
# Why?
# The gradient passes through the sigmoids on its way back to the first layer.
# The slope of a sigmoid is at most a quarter, so each of them takes most of it away.

# %%
old_model = deep(nn.Sigmoid).to(device)
criterion(old_model(features), labels).backward()
sizes = [old_model[i].weight.grad.abs().mean().item() for i in (0, 2, 4)]
print("mean gradient in layers 1, 2, 3:", " ".join(f"{size:.5f}" for size in sizes))

steepest = torch.zeros(1, requires_grad=True)
torch.sigmoid(steepest).backward()
print(f"steepest slope of a sigmoid {steepest.grad.item()}")
assert steepest.grad.item() == 0.25 and sizes[0] < sizes[2] / 10

# %% [markdown]
# ## One thing at a time
#
# The same training for all five splits, in a function, so that we can change model, optimizer and number of epochs.


# %%
def measure(make_model, optimizer_class, learning_rate, num_epochs=100):
    """Mean accuracy on held-out rows, and the last of the five models."""
    torch.manual_seed(0)
    accuracies = []
    for train_rows, test_rows in splits:
        model = make_model().to(device)
        optimizer = optimizer_class(model.parameters(), lr=learning_rate)
        x, y = features[train_rows], labels[train_rows]
        for _ in range(num_epochs):
            loss = criterion(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            right = (model(features[test_rows]) > 0) == (labels[test_rows] == 1)
        accuracies.append(right.float().mean())
    return torch.stack(accuracies).mean().item(), model


SGD, Adam = torch.optim.SGD, torch.optim.Adam
accuracy, _ = measure(lambda: deep(nn.Sigmoid), SGD, learning_rate=0.1)
print(f"old recipe {accuracy:.3f}, baseline {baseline:.3f}")
assert accuracy < baseline + 0.02

# %% [markdown]
# Is the training too short?
# Ten times as many epochs.

# %%
accuracy, _ = measure(lambda: deep(nn.Sigmoid), SGD, 0.1, num_epochs=1000)
print(f"old recipe, 1000 epochs {accuracy:.3f}")
assert accuracy < baseline + 0.02

# %% [markdown]
# Is it the sigmoids?
# ReLU in their place, and 100 epochs again.

# %%
accuracy, _ = measure(lambda: deep(nn.ReLU), SGD, 0.1)
print(f"old recipe with ReLU {accuracy:.3f}")
assert accuracy < baseline + 0.02

# %% [markdown]
# Is it the optimizer?
# The sigmoids again, and Adam, which divides each step by the usual size of its gradient.

# %% tags=["tolerance-0.03"]
learning_rate = 0.03  # found by trying
accuracy, _ = measure(lambda: deep(nn.Sigmoid), Adam, learning_rate)
print(f"old recipe with Adam {accuracy:.3f}")
assert accuracy > baseline + 0.02

# %% [markdown]
# That was it.
# The gradients are small, so plain steps are short; the length of Adam's steps hardly depends on the size of the gradient.
#
# ## Wide and deep
#
# The old tutorial called its network wide and deep.
# Deep it is, but that name means something else: two models side by side.
#
# - The **wide** part is a linear model. In its first use, recommending apps in a shop, it had a very large number of inputs; hence the name.
# - The **deep** part is a network with hidden layers.
#
# Each gives a logit, the two are added, and both parts are trained at once.


# %%
class WideAndDeep(nn.Module):
    def __init__(self):
        super().__init__()
        self.wide = nn.Linear(8, 1)
        self.deep = deep(nn.Sigmoid)

    def forward(self, x):
        return self.wide(x) + self.deep(x)  # logits, (rows, 1)


# %% tags=["tolerance-0.03"]
accuracy, model = measure(WideAndDeep, Adam, learning_rate)
print(f"wide and deep {accuracy:.3f}, baseline {baseline:.3f}")
assert accuracy > baseline + 0.08

# %% [markdown]
# The wide part is the shortest way for a gradient: no sigmoid lies on it.
#
# Is the deep part of any use then?
# The wide part alone is logistic regression.

# %% tags=["tolerance-0.03"]
wide_accuracy, _ = measure(lambda: nn.Linear(8, 1), Adam, learning_rate)
print(f"wide alone {wide_accuracy:.3f}")
assert abs(wide_accuracy - accuracy) < 0.05

# %% [markdown]
# It does as well.
# In so small a table the deep part finds little that a linear model misses.
# That is why one measures the linear model first: it is what a deep one has to beat.
#
# ## What it learned
#
# The probability of staying healthy, for the held-out women of one split, with the old recipe and with the wide and deep model.
# Look at how far the bars spread, and at where each colour lies.

# %% alt="Old recipe: a single tall bar. Wide and deep: spread out, the healthy to the right"
with torch.no_grad():
    new_p = torch.sigmoid(model(features[test_rows])).flatten().cpu()
stays_healthy = labels[test_rows].flatten().cpu() == 1

fig, axes = plt.subplots(1, 2, figsize=(7, 3), sharey=True, layout="constrained")
for ax, name, p in zip(
    axes, ["old recipe", "wide and deep"], [old_p, new_p], strict=True
):
    groups = [p[stays_healthy].numpy(), p[~stays_healthy].numpy()]
    ax.hist(groups, bins=25, range=(0, 1), stacked=True, label=["healthy", "diabetes"])
    ax.set(xlabel="probability of staying healthy", title=name)
axes[0].set_ylabel("women")
axes[0].legend()
plt.show()

# %% [markdown]
# The old model gives everyone the same answer.
# The new one is sure about many of the healthy, and undecided or wrong about a part of the others.
#
# ## Try it yourself
#
# **1.** Does the deep part alone do better with ReLU **and** Adam?

# %% tags=["solution", "tolerance-0.03"]
relu_accuracy, _ = measure(lambda: deep(nn.ReLU), Adam, learning_rate)
print(f"deep with ReLU and Adam {relu_accuracy:.3f}")
assert relu_accuracy > baseline + 0.02

# %% [markdown]
# **2.** Train the wide and deep model by the old recipe, plain gradient descent for 100 epochs.
# Is the short way enough?

# %% tags=["solution", "tolerance-0.03"]
short_way, _ = measure(WideAndDeep, SGD, 0.1)
print(f"wide and deep, old recipe {short_way:.3f}, baseline {baseline:.3f}")
assert short_way < accuracy

# %% [markdown] tags=["solution"]
# It helps a little.
# Even without sigmoids in the way, 100 such steps are few.

# %% [markdown]
# ## What next
#
# Until now the answer was yes or no.
# The [next page](34_softmax_and_cross_entropy.py) chooses among ten.
# The table is the Pima Indians Diabetes data set; wide and deep models come from the recommendations of an app shop, Google Play.
