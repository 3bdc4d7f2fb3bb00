# ---
# jupyter:
#   page:
#     teaches:
#       C7: What wide and deep means
#     level: intermediate
#     read_first: [24_logistic_regression, 26_neural_network, 33_mnist_logistic_regression]
#     result: accuracy
#     cites:
#       "768": rows of the published table
#       "61": its middle blood pressure, in mm Hg
# ---

# %% [markdown]
# # Wide and deep
#
# Eight measurements of a woman: will she have diabetes within five years?
# An old tutorial trained a network of three layers on this and never asked how often it is right.
# We ask, on women whom it has not seen, and find that it has learned nothing; nine numbers, well trained, are right about 77 % of them.
# Before that we look at the table, in which 63 women have the wrong age.
# You should know [logistic regression](24_logistic_regression.py), the [neural network](26_neural_network.py), and [Adam](33_mnist_logistic_regression.py).

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
# ## Look before you train
#
# The table has a row per woman: eight measurements, each scaled so that its smallest value is −1 and its largest 1, and a label, 0 for diabetes and 1 for none.

# %%
names = ["pregnancies", "glucose", "blood pressure", "skin thickness", "insulin"]
names += ["body mass index", "pedigree", "age"]
table = diabetes()
raw = table.features  # (759, 8)
labels = table.labels.float().reshape(-1, 1)  # (759, 1)
print(tuple(raw.shape), tuple(labels.shape))
for name, column in zip(names, raw.T):
    zeros = (column == 0).sum()
    print(f"{zeros:3d} zeros, from {column.min():5.2f} to {column.max():.2f}: {name}")

# %% [markdown]
# The largest values are 1, as promised, but no column reaches −1.
# And what are the many zeros, in the middle of the scale?
# A histogram shows how the values of a column are spread; look at its middle, and at its left end.

# %% alt="Three histograms, each with a bar in the middle that towers over its neighbours"
fig, axes = plt.subplots(1, 3, figsize=(6, 2.6), sharey=True, layout="constrained")
for ax, i in zip(axes, [0, 4, 7]):
    ax.hist(raw[:, i].numpy(), bins=61, range=(-1, 1))
    ax.set(title=names[i], xlabel="scaled value")
axes[0].set_ylabel("women")
plt.show()

# %% [markdown]
# In the published table the women had 0 to 17 pregnancies and were 21 to 81 years old.
# So a 0 would be eight and a half pregnancies, which nobody has had, and 51 years.
# We compare the women of "51" with those near to that age, and with the youngest.

# %% tags=["predict"] ask="The youngest women were 21. How many of that age has the table?" answers=["0 women are 21", "63 women are 21", "38 women are 21"] why="An age of 21 would be the value −1, which no column has: a 0 stands in its place."
age = (21 + (81 - 21) * (raw[:, 7] + 1) / 2).round()  # years
print(f"in the middle: {17 * (0 + 1) / 2} pregnancies, {21 + (81 - 21) / 2:.0f} years")
print(f"{(age == 21).sum()} women are 21")
for first, last in [(51, 51), (48, 50), (52, 54), (22, 23)]:
    group = labels[(age >= first) & (age <= last)]
    print(f"{first} to {last}: {len(group):3d} women, {group.mean():.0%} stay healthy")

# %% [markdown]
# They are not 51: they are the 21-year-olds, of whom there would be none.
# Somebody has put 0 for −1, in all columns at once, presumably to make labels of 0 and 1.
# But a woman who is 51 would have a 0, too: are some of the 63 right?
# The published table has 768 women, this copy 759: it lacks the nine that have a value exactly in the middle, eight who were 51 and one whose blood pressure was 61.
# So each 0 that is left is a smallest value, and can be mended; no column has both.
# Then we count the smallest values of five columns in which they cannot be true.

# %%
for column in raw.T:
    assert not ((column == 0).any() and (column == -1).any())
features = torch.where(raw == 0, -1.0, raw)
unmeasured = (features == -1).float().mean(dim=0)
print("  ".join(f"{unmeasured[i]:.0%} {names[i]}" for i in range(1, 6)))

# %% [markdown]
# What cannot be mended: nobody lives without blood pressure, and nobody has a skin of no thickness or a body without mass.
# In these columns the smallest value stands for "not measured", with insulin for 49 % of the women.
# We leave it at the end of the scale.
#
# ## What a guess is worth
#
# More than half of the women stay healthy.
# To say "healthy" to everyone is right about all of those, and that share is the **majority baseline**.
# A model that does not beat it is, by its accuracy, worth no more than this guess.
#
# With so few rows, a single held-out part would leave much to luck.
# So we cut the table into five parts and train five times, each time with another part held out for the test.
# Of the other four parts one is set aside for validation, each time another, and learning rates are chosen on that: no woman helps to choose a model that is tested on her.

# %%
num_parts = 5
parts = torch.randperm(len(labels)).chunk(num_parts)
splits = []  # rows to train on, to choose by, to test on
for i in range(num_parts):
    test_rows, valid_rows, *others = parts[i:] + parts[:i]
    splits.append((torch.cat(others), valid_rows, test_rows))
print("rows:", [len(rows) for rows in splits[0]])

baseline = labels.mean().item()
standard_error = (baseline * (1 - baseline) / len(labels)) ** 0.5
print(f"majority baseline {baseline:.3f}, standard error {standard_error:.3f}")
assert baseline > 0.5 and standard_error < 0.02

# %% [markdown]
# ## The old recipe
#
# Layers with 6, 4 and 1 units, a sigmoid after each, binary cross entropy.
# Plain gradient descent with a learning rate of 0.1 and a hundred epochs, each a single step over all training rows.
# On our page the last sigmoid is part of the [loss](24_logistic_regression.py), which gives the same result.


# %%
def deep(activation):
    """Three layers that end in a logit, (rows, 8) -> (rows, 1)."""
    layers = [nn.Linear(8, 6), activation(), nn.Linear(6, 4), activation()]
    return nn.Sequential(*layers, nn.Linear(4, 1)).to(device)


def fit(model, optimizer, x, y, num_epochs):
    """Train in place, a step over all rows per epoch; the last loss."""
    for _ in range(num_epochs):
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


# %%
features, labels = features.to(device), labels.to(device)
criterion = nn.BCEWithLogitsLoss()
train_rows, _, test_rows = splits[0]
x, y = features[train_rows], labels[train_rows]
old_model = deep(nn.Sigmoid)
optimizer = SGD(old_model.parameters(), lr=0.1)
losses = [fit(old_model, optimizer, x, y, num_epochs=50) for half in range(2)]
print(f"loss {losses[0]:.3f} after 50 epochs, {losses[1]:.3f} after 100")

with torch.no_grad():
    old_p = torch.sigmoid(old_model(features[test_rows])).flatten().cpu()
print(f"held-out probabilities from {old_p.min():.3f} to {old_p.max():.3f}")
assert old_p.max() - old_p.min() < 0.01 and old_p.round().all()

# %% [markdown]
# The loss stands still, and everyone gets nearly the same probability.
# The model has found out how frequent the label 1 is, and nothing about anyone.
#
# ## Too few steps, or too short
#
# Are the [flat slopes](26_neural_network.py) of the sigmoids to blame, the optimizer, or only the learning rate?
# We give 300 epochs in place of a hundred, and three or four rates to each of four recipes; the last is logistic regression.
# For each test part the rate with the smallest validation loss is taken.


# %%
def accuracy_of(logits, y):
    """The share of right answers, where a logit above 0 says healthy."""
    return ((logits > 0) == (y == 1)).float().mean().item()


def measure(make_model, optimizer_class, rates, x=features):
    """Held-out logits of all women; prints the validation accuracy of each rate."""
    logits, right = torch.zeros_like(labels), dict.fromkeys(rates, 0.0)
    for part, (train_rows, valid_rows, test_rows) in enumerate(splits):
        smallest = float("inf")
        for rate in rates:
            torch.manual_seed(part)
            model = make_model()
            optimizer = optimizer_class(model.parameters(), lr=rate)
            fit(model, optimizer, x[train_rows], labels[train_rows], num_epochs=300)
            with torch.no_grad():
                valid_logits, test_logits = model(x[valid_rows]), model(x[test_rows])
            loss = criterion(valid_logits, labels[valid_rows]).item()
            right[rate] += accuracy_of(valid_logits, labels[valid_rows]) / num_parts
            if loss < smallest:
                smallest, logits[test_rows] = loss, test_logits
    print("validation", "  ".join(f"{rate}: {right[rate]:.2f}" for rate in rates))
    return logits


# %% [markdown]
# The test accuracy is the mean over the five parts, beside their standard deviation.


# %%
def report(name, logits):
    """Print mean and deviation of the test accuracy over the parts; the mean."""
    shares = [accuracy_of(logits[rows], labels[rows]) for _, _, rows in splits]
    mean, deviation = torch.tensor(shares).mean().item(), torch.tensor(shares).std()
    print(f"{name}: test {mean:.2f} ± {deviation:.2f}")
    return mean


def linear():
    return nn.Linear(8, 1).to(device)


sgd_rates, adam_rates = [0.1, 1, 3, 10], [0.003, 0.01, 0.03]
deep_sgd = measure(lambda: deep(nn.Sigmoid), SGD, sgd_rates)
found = [report("sigmoids", deep_sgd)]
deep_adam = measure(lambda: deep(nn.Sigmoid), Adam, adam_rates)
found.append(report("sigmoids, Adam", deep_adam))
found.append(report("ReLU", measure(lambda: deep(nn.ReLU), SGD, sgd_rates)))
logits = measure(linear, SGD, sgd_rates)
accuracy = report("logistic regression", logits)
assert min(found) > baseline + 0.03 and accuracy > baseline + 0.08

# %% [markdown]
# At the old rate of 0.1 the sigmoids have learned nothing after 300 epochs either; at thirty times that rate they have.
# At the old rate the ReLU, which has no flat slopes, has hardly learned anything either, so they cannot be the whole reason.
# What helps both is a larger rate, and the sigmoids are helped by Adam, too, which divides by the usual size of the gradient.
# Each of the four beats the baseline, and none of them clearly beats another: all lie between 0.75 and 0.77, and a standard error is nearly two hundredths.
# So the plainest will do, which is why one measures it first: it is what a deep model has to beat.
#
# ## What wide and deep means
#
# The old tutorial called its network wide and deep.
# Deep it is, but that name means something else: two models side by side, whose logits are added and which are trained at once.
#
# - The **deep** part is a network with hidden layers, as above.
# - The **wide** part is a linear model of very many inputs, among them **crossed features**: 1 for all who share several properties, else 0. It can memorise how each such group turned out; the deep part has to find what groups have in common.
#
# We cut glucose, body mass index and age into four ranges each, and cross them: 64 groups.

# %%
group = torch.zeros(len(labels), dtype=torch.int64, device=device)
for i, cuts in [(1, [0.0, 0.2, 0.4]), (5, [-0.2, 0.0, 0.1]), (7, [-0.9, -0.7, -0.3])]:
    group = 4 * group + sum((features[:, i] > cut).long() for cut in cuts)
crossed = nn.functional.one_hot(group, num_classes=64).float()  # (759, 64)
print(f"women in the largest group: {crossed.sum(dim=0).max():.0f}")


class WideAndDeep(nn.Module):
    """A linear model of all features beside a network of the first eight."""

    def __init__(self):
        super().__init__()
        self.wide = nn.Linear(8 + 64, 1)
        self.deep = deep(nn.ReLU)

    def forward(self, x):
        return self.wide(x) + self.deep(x[:, :8])  # logits, (rows, 1)


# %%
x = torch.cat([features, crossed], dim=1)  # (759, 72)
both = measure(lambda: WideAndDeep().to(device), SGD, sgd_rates, x)
wide_and_deep = report("wide and deep", both)
assert wide_and_deep < accuracy + standard_error

# %% [markdown]
# It brings nothing here: the difference is within a standard error.
# Even the largest group has few women to remember.
#
# ## Right about whom?
#
# The share of all women about whom a model is right hides about whom it is wrong.
# The **recall** for diabetes is the share of those who will have it whom the model finds.
# The old recipe, in the part where we looked, finds none: all its probabilities are above one half.
# But where "healthy" begins, the **threshold**, is ours to choose.

# %% tags=["predict"] ask="At 0.5, 0.12 of the healthy are alarmed. How many at 0.7?" answers=["0.04", "0.29"] why="The alarm sounds below the threshold: raise it, and more women lie below, healthy ones among them."
ill = labels[:, 0] == 0
p_healthy = torch.sigmoid(logits[:, 0])  # by logistic regression
for threshold in [0.5, 0.6, 0.7]:
    alarm = p_healthy < threshold
    right, recall = (alarm == ill).float().mean(), alarm[ill].float().mean()
    print(f"{threshold}: right {right:.2f}, recall {recall:.2f}, ", end="")
    print(f"false alarms {alarm[~ill].float().mean():.2f}")
assert recall > 0.75 and right > baseline

# %% [markdown]
# The later "healthy" begins, the more of the ill are found, and the more of the healthy are alarmed.
# With a threshold of 0.7 the recall is 0.79, and 0.29 of the healthy are alarmed.
# Accuracy does not gain by it; which threshold is better depends on what a missed case and a false alarm cost, which no table says.
#
# ## Try it yourself
#
# **1.** What was the mending worth?
# Train logistic regression on the table as it came, at the rate 1, and call its test accuracy `as_it_came`.

# %% tags=["solution"]
as_it_came = report("as it came", measure(linear, SGD, [1], raw.to(device)))
assert accuracy - standard_error < as_it_came < accuracy + 2 * standard_error

# %% [markdown] tags=["solution"]
# In accuracy nothing that could be told from luck, so no accuracy would have shown the fault.

# %% [markdown]
# **2.** Put the median of the measured values where nothing was measured.
# (Over all women will do for a first look; if it helped, it would have to be that of the women trained on.)
# Does it help logistic regression at the rate 1?
# Call the test accuracy `with_medians`.

# %% tags=["solution"]
filled = features.clone()
for i in range(1, 6):
    measured = features[:, i] > -1
    filled[~measured, i] = features[measured, i].median()
with_medians = report("with medians", measure(linear, SGD, [1], filled))
assert accuracy - 2 * standard_error < with_medians < accuracy + standard_error

# %% [markdown] tags=["solution"]
# It does not: it gains less than a standard error.

# %% [markdown]
# ## What next
#
# The [next page](37_mnist_deep_classifier.py) returns to the digits, with four hidden layers.
# The table is the Pima Indians Diabetes data set; wide and deep models were first used to recommend apps in Google Play (2016).
