# ---
# jupyter:
#   page:
#     teaches:
#       C7: What wide and deep means
#     level: intermediate
#     read_first: [24_logistic_regression, 26_neural_network]
#     result: accuracy
# ---

# %% [markdown]
# # Wide and deep
#
# Eight measurements of a woman: will she have diabetes within five years?
# An old tutorial trained a network of three layers on this and never asked how often it is right.
# We ask, on women whom it has not seen, and find that it has learned nothing.
# Then we change one thing at a time, until the model is right about more women than the plainest guess: 8 more in every 100.
# You should know [logistic regression](24_logistic_regression.py) and the [neural network](26_neural_network.py).

# %%
import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.optim import SGD, Adam

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
# To say "healthy" to everyone is right about all of those, and that share is the **majority baseline**.
# A model that does not beat it has learned nothing of use.
#
# With only 759 rows, a single held-out part would leave much to luck.
# So we cut the table into five parts, train five times, each time with another part held out, and report the mean.

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
# Layers with 6, 4 and 1 units, a sigmoid after each, binary cross entropy.
# Plain gradient descent with a learning rate of 0.1, and 100 steps, each over all training rows.
# On our page the last sigmoid is part of the [loss](24_logistic_regression.py), which gives the same result.


# %%
def deep(activation):
    """Three layers that end in a logit."""
    return nn.Sequential(
        nn.Linear(8, 6),  # (rows, 6)
        activation(),
        nn.Linear(6, 4),  # (rows, 4)
        activation(),
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
optimizer = SGD(old_model.parameters(), lr=0.1)

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
assert old_p.max() - old_p.min() < 0.01

# %% [markdown]
# The loss stands still, and everyone gets the same probability.
# The model has found out how frequent the label 1 is, and nothing about anyone.
#
# Why?
# On its way back to the first layer the gradient passes through the sigmoids.
# The slope of a sigmoid is at most a quarter, so each of them takes most of the gradient away.

# %%
fresh_model = deep(nn.Sigmoid).to(device)
criterion(fresh_model(features), labels).backward()
sizes = [fresh_model[i].weight.grad.abs().mean().item() for i in (0, 2, 4)]
print("gradients, layer 1 to 3:", " ".join(f"{size:.4f}" for size in sizes))

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


old_accuracy, _ = measure(lambda: deep(nn.Sigmoid), SGD, learning_rate=0.1)
print(f"old recipe {old_accuracy:.3f}, baseline {baseline:.3f}")
assert old_accuracy < baseline + 0.02

# %% [markdown]
# Is the training too short, or are the sigmoids to blame?
# First ten times as many epochs, then 100 again with ReLU in place of the sigmoids.

# %%
longer, _ = measure(lambda: deep(nn.Sigmoid), SGD, 0.1, num_epochs=1000)
with_relu, _ = measure(lambda: deep(nn.ReLU), SGD, 0.1)
print(f"1000 epochs {longer:.3f}, ReLU {with_relu:.3f}")
assert max(longer, with_relu) < baseline + 0.02

# %% [markdown]
# Neither helps.
# Is it the optimizer?
# The sigmoids again, and [Adam](35_rings.py), which divides each step by the usual size of its gradient.

# %%
learning_rate = 0.03  # found by trying, on these same splits
with_adam, _ = measure(lambda: deep(nn.Sigmoid), Adam, learning_rate)
print(f"Adam {with_adam:.3f}")
assert with_adam > baseline + 0.02

# %% [markdown]
# That was it.
# The gradients are small, so plain steps are short; the length of Adam's steps hardly depends on the size of the gradient.
#
# ## What wide and deep means
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


# %%
accuracy, model = measure(WideAndDeep, Adam, learning_rate)
print(f"wide and deep {accuracy:.3f}, baseline {baseline:.3f}")
assert accuracy > baseline + 0.08

# %% [markdown]
# No sigmoid lies between the loss and the weights of the wide part, so its gradient arrives whole.
#
# Is the deep part of any use then?
# The wide part alone is logistic regression.

# %%
wide_accuracy, _ = measure(lambda: nn.Linear(8, 1), Adam, learning_rate)
print(f"wide alone {wide_accuracy:.3f}")
assert abs(wide_accuracy - accuracy) < 0.02

# %% [markdown]
# It does as well.
# In so small a table the deep part finds little that a linear model misses.
# That is why one measures the linear model first: it is what a deep one has to beat.
#
# ## What it learned
#
# Both pictures show the same held-out women by their probability of staying healthy, first as the old model gives it, then as the new one does.
# Look at how far the bars spread, and at where each colour lies.

# %% alt="Old recipe: a single tall bar. Wide and deep: spread out, the healthy to the right"
with torch.no_grad():
    new_p = torch.sigmoid(model(features[test_rows])).flatten().cpu()
stays_healthy = labels[test_rows].flatten().cpu() == 1

fig, axes = plt.subplots(2, 1, figsize=(5, 4.2), sharex=True, layout="constrained")
for ax, name, p in zip(axes, ["old recipe", "wide and deep"], [old_p, new_p]):
    groups = [p[stays_healthy].numpy(), p[~stays_healthy].numpy()]
    ax.hist(groups, bins=25, range=(0, 1), stacked=True, label=["healthy", "diabetes"])
    ax.set(ylabel="women", title=name)
axes[0].legend(loc="upper left")
axes[1].set_xlabel("probability of staying healthy")
assert new_p[stays_healthy].mean() > new_p[~stays_healthy].mean() + 0.1
plt.show()

# %% [markdown]
# The old model gives everyone the same answer.
# The new one gives the healthy a clearly higher probability than the others, and is still wrong about some of both.
#
# ## Try it yourself
#
# **1.** Does the deep network alone do better with ReLU **and** Adam?

# %% tags=["solution"]
relu_and_adam, _ = measure(lambda: deep(nn.ReLU), Adam, learning_rate)
print(f"with ReLU {relu_and_adam:.3f}, with sigmoids {with_adam:.3f}")
assert abs(relu_and_adam - with_adam) < 0.03 and relu_and_adam > baseline + 0.02

# %% [markdown]
# **2.** Train the wide and deep model by the old recipe, plain gradient descent for 100 epochs.
# Is it enough that the gradient arrives whole?

# %% tags=["solution"]
plain_steps, _ = measure(WideAndDeep, SGD, 0.1)
print(f"plain steps {plain_steps:.3f}, baseline {baseline:.3f}")
assert plain_steps < accuracy

# %% [markdown] tags=["solution"]
# It helps a little.
# Even with whole gradients 100 such steps are few.

# %% [markdown]
# ## What next
#
# The [next page](37_mnist_deep_classifier.py) returns to the digits, with four hidden layers.
# The table is the Pima Indians Diabetes data set; wide and deep models were first used to recommend apps in Google Play (2016).
