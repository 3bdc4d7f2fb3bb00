# ---
# jupyter:
#   page:
#     teaches:
#       A1: The data
#       A2: "Training, one sample per step"
#       A3: The loss
#       A4: Multi-label or multi-class
#       A5: Will SGD do?
#     level: intermediate
#     read_first: [26_neural_network, 31_softmax_and_cross_entropy]
#     result: accuracy
# ---

# %% [markdown]
# # Several labels at once
#
# A photo can show a dog and a beach but no ball: three questions, three answers.
# Giving all of them is **multi-label** classification.
# Here a small network answers three questions about two numbers, and gets all three right on samples that it never saw.
# We train it one sample at a time first, as an old tutorial did, then with a thirtieth of the steps, and ask what made that possible.
# You should know the [neural network](26_neural_network.py) and [softmax](31_softmax_and_cross_entropy.py).

# %%
import math
from functools import partial

import matplotlib.pyplot as plt
import torch
from torch import nn

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## The data
#
# Two coins decide what a sample looks like; $u$ and $v$ are drawn between 0.1 and 1.
# The kinds of samples have numbers, which we will need later.
#
# | coins | input | labels | kind |
# |---|---|---|---|
# | 1, 0 | $[u, 0]$ | 1, 0, 1 | 0 |
# | 0, 1 | $[0, v]$ | 0, 1, 0 | 1 |
# | 0, 0 | $[u, v]$ | 0, 0, 1 | 2 |
# | 1, 1 | none | none | none |

# %%
mask_of = torch.tensor([[1, 0], [0, 1], [1, 1]])  # one row per kind
labels_of = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


def make_samples(kinds):
    """Inputs (samples, 2) and labels (samples, 3), one sample of each given kind."""
    values = torch.empty(len(kinds), 2).uniform_(0.1, 1)
    return values * mask_of[kinds], labels_of[kinds]


# %% [markdown]
# The old tutorial tossed the coins 10,000 times.

# %%
coins = torch.randint(2, (10_000, 2))
tosses = 2 * coins[:, 0] + coins[:, 1]  # the coins as a binary number, 0 to 3
print("tosses of 00, 01, 10, 11:", tosses.bincount().tolist())
train_kinds = 2 - tosses[tosses < 3]  # 10 is kind 0, 01 is kind 1, 00 is kind 2
train_x, train_y = make_samples(train_kinds)
print(f"{len(coins)} tosses give {len(train_x)} samples")
assert abs(len(train_x) / len(coins) - 0.75) < 0.01

# %% [markdown]
# A quarter of the tosses vanish, because nothing belongs to 1, 1.
# The kinds stay equally frequent, so the model does not suffer, but we cannot ask for a certain number of samples.
# To draw the kind itself is shorter and loses nothing: so we make the held-out samples, for validation and for the test.

# %%
valid_x, valid_y = make_samples(torch.randint(3, (2_000,)))
test_kinds = torch.randint(3, (2_000,))
test_x, test_y = make_samples(test_kinds)
for x, y in zip(test_x[:4], test_y[:4], strict=True):  # the first four
    print(f"x = [{x[0]:.2f}, {x[1]:.2f}]  labels {y.int().tolist()}")

# %% [markdown]
# ## Each label is a question
#
# The old tutorial called these labels **one-hot** classes: one column per class, and a single 1 in each row.
# But kind 0 has two.
# So the columns are not three classes to choose from, but three questions:
# is the second number 0, is the first number 0, is the first number above 0?
# The third is the second turned round, so that one of them is always true.

# %%
answers = torch.stack([test_x[:, 1] == 0, test_x[:, 0] == 0, test_x[:, 0] > 0], dim=1)
print("ones per row of the table:", labels_of.sum(dim=1).int().tolist())
assert (answers == test_y.bool()).all() and (test_y[:, 1] + test_y[:, 2] == 1).all()

# %% [markdown]
# ## The model
#
# Two inputs, 64 hidden units, and three outputs: a logit for each question.
# Between the layers stands a **ReLU** in place of the sigmoid: it turns negative numbers into 0 and leaves the others as they are.

# %% tags=["predict"] ask="How many parameters does the model have?" why="Each unit of a layer has a weight for each of its inputs, and a bias: twice here, for 64 units and for 3."
hidden_size = 64


def make_model(seed=0):
    """A new network, the same for the same seed."""
    torch.manual_seed(seed)
    hidden, output = nn.Linear(2, hidden_size), nn.Linear(hidden_size, 3)
    return nn.Sequential(hidden, nn.ReLU(), output).to(device)  # (samples, 3)


model = make_model()
print(sum(p.numel() for p in model.parameters()), "parameters")
train_x, train_y = train_x.to(device), train_y.to(device)
valid_x, valid_y = valid_x.to(device), valid_y.to(device)
test_x, test_y = test_x.to(device), test_y.to(device)

# %% [markdown]
# ## The loss
#
# Each answer is a logistic regression: a sigmoid turns the logit into a probability, and binary cross entropy compares that with the label.
# The loss is the mean over the labels.
# PyTorch has it twice, as `nn.BCEWithLogitsLoss` and as `nn.MultiLabelSoftMarginLoss`, which the old tutorial used.

# %% tags=["predict"] ask="Before training all logits are near 0. What is the loss?" answers=["1.0986", "0.6697", "2.0091"] why="At a logit of 0 both answers have a probability of one half, which costs ln 2, seven tenths; the small logits of an untrained model leave the mean near that."
logits, labels = model(train_x[:5]), train_y[:5]
p = torch.sigmoid(logits)
by_hand = -(labels * p.log() + (1 - labels) * (1 - p).log()).mean()  # over 5 x 3
soft_margin = nn.MultiLabelSoftMarginLoss()(logits, labels)
with_logits = nn.BCEWithLogitsLoss()(logits, labels)
print(f"by hand {by_hand:.4f}, from PyTorch {soft_margin:.4f} and {with_logits:.4f}")
assert torch.allclose(by_hand, soft_margin) and torch.allclose(by_hand, with_logits)

# %% [markdown]
# All three agree, but the two functions are not one.
# The old one takes the mean over the labels first, so that with `reduction="sum"` only samples are added up, and the other gives three times as much.
# And only `nn.BCEWithLogitsLoss` has `pos_weight`, by which a yes counts for more; that is used where a yes is rare.

# %%
old_sum = nn.MultiLabelSoftMarginLoss(reduction="sum")(logits, labels)
new_sum = nn.BCEWithLogitsLoss(reduction="sum")(logits, labels)
print(f"sums {old_sum:.4f} and {new_sum:.4f}")
assert torch.isclose(3 * old_sum, new_sum)

twice = torch.full((3,), 2.0, device=device)
weighted = nn.BCEWithLogitsLoss(pos_weight=twice)(logits, labels)
by_hand = -(2 * labels * p.log() + (1 - labels) * (1 - p).log()).mean()
print(f"every yes counts twice: {weighted:.4f}")
assert torch.isclose(weighted, by_hand)

# %% [markdown]
# We use `nn.BCEWithLogitsLoss`, which is more common.
# A sample counts as right if all its labels are right.
# A probability above one half is a logit above 0, so this needs no sigmoid.

# %%
criterion = nn.BCEWithLogitsLoss()


def evaluate(model, x, y):
    """Loss on these samples, and the share of them with all labels right."""
    with torch.no_grad():
        logits = model(x)
    all_right = ((logits > 0) == y.bool()).all(dim=1)
    return criterion(logits, y).item(), all_right.float().mean().item()


# %% [markdown]
# ## Training, one sample per step
#
# This is the old recipe.
# Its optimizer is [Adam](33_mnist_logistic_regression.py), which gives each weight a step length of its own, from the gradients that it has seen so far.
# For each step:
#
# 1. take the next samples, here one, from a new order in each epoch;
# 2. compute their loss, and its gradients;
# 3. let the optimizer take a step.


# %%
def train(targets, criterion, optimizer_class, rate, batch_size, num_steps, seed=0):
    """A network after so many steps, whatever the number of epochs."""
    model = make_model(seed)
    optimizer = optimizer_class(model.parameters(), lr=rate)
    step = 0
    while step < num_steps:
        for rows in torch.randperm(len(train_x)).split(batch_size)[: num_steps - step]:
            loss = criterion(model(train_x[rows]), targets[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
    return model


# %%
# fused: all parameters in one call, which helps where steps are many and small
adam = partial(torch.optim.Adam, fused=True)
learning_rate = 1e-3  # Adam's default
num_epochs = 2
single_steps = num_epochs * len(train_x)
model = train(train_y, criterion, adam, learning_rate, 1, single_steps)
valid_loss, valid_accuracy = evaluate(model, valid_x, valid_y)
print(f"{single_steps} steps: loss {valid_loss:.3f}, all right {valid_accuracy:.1%}")
assert valid_loss < 0.0028 and valid_accuracy > 0.99

# %% [markdown]
# It works: the loss is near 0 within two epochs.
# But that took one step per sample and epoch.
#
# ## Mini-batches
#
# Now 32 samples per step: each gradient is a mean, and less a matter of luck, so the steps may be longer.
# How much of the gain is due to the batch, and how much to the longer steps?
# We give single samples and batches the same 470 steps, which are two epochs of batches, at the same four learning rates, from three starts each.

# %%
batch_steps = num_epochs * math.ceil(len(train_x) / 32)
all_right = {}
for batch_size in [1, 32]:
    for rate in [1e-3, 1e-2, 3e-2, 1e-1]:
        recipe = train_y, criterion, adam, rate, batch_size, batch_steps
        models = [train(*recipe, seed) for seed in range(3)]
        shares = torch.tensor([evaluate(m, valid_x, valid_y)[1] for m in models])
        all_right[batch_size, rate] = shares.mean().item()
        print(f"batches of {batch_size:2} at {rate}: ", end="")
        print(f"{shares.mean():.0%} ± {shares.std():.0%}")
print(f"{batch_steps} steps each")
assert all_right[1, 3e-2] > all_right[1, 1e-3] + 0.05
assert all_right[32, 3e-2] > 0.99 and all_right[32, 3e-2] > all_right[1, 3e-2]

# %% [markdown]
# Either alone helps: at 0.03 single samples get 98 % right, where at 0.001 they get 81 %; in batches they get 93 % even at 0.001.
# At each rate the batches are ahead: in as many steps they have seen 32 times as many samples.
# At 0.03 they get all right from each of the three starts.
# So that is the recipe that we choose.

# %%
learning_rate, batch_size = 3e-2, 32
settings = adam, learning_rate, batch_size, batch_steps
model = train(train_y, criterion, *settings)
test_loss, accuracy = evaluate(model, test_x, test_y)
print(f"test: loss {test_loss:.3f}, all right {accuracy:.1%}")
assert test_loss < 0.002 and accuracy > 0.99 and 30 * batch_steps < single_steps

# %% [markdown]
# ## Will SGD do?
#
# The old tutorial remarks that plain SGD will do as well as Adam, and does not try it.
# We do, with as many samples: single ones at Adam's rate and at a larger one, and batches at that larger one and at two beyond it.

# %%
sgd_right = {}  # share of samples with all labels right
for batch_size, rate in [(1, 1e-3), (1, 1e-1), (32, 1e-1), (32, 1), (32, 3)]:
    num_steps = single_steps if batch_size == 1 else batch_steps
    recipe = train_y, criterion, torch.optim.SGD, rate, batch_size, num_steps
    _, sgd_right[batch_size, rate] = evaluate(train(*recipe), valid_x, valid_y)
    share = sgd_right[batch_size, rate]
    print(f"SGD, batches of {batch_size:2} at {rate}: all right {share:.1%}")
assert sgd_right[1, 1e-3] < 0.87 and sgd_right[1, 1e-1] > 0.99
assert sgd_right[32, 1e-1] < sgd_right[32, 3]  # for this seed

# %% [markdown]
# It will, at a learning rate of its own.
# At Adam's it has not arrived: its steps are only as long as that rate times the gradients.
#
# ## Multi-label or multi-class
#
# The same inputs allow another question: of which kind is the sample?
# There is one answer, because the kinds exclude each other: that is **multi-class**.
# The target is the number of the kind, the answer is the largest of three logits, and the loss is [cross entropy](31_softmax_and_cross_entropy.py), which takes a softmax of them.

# %%
class_targets = train_kinds.to(device)  # (samples,), whole numbers
class_model = train(class_targets, nn.CrossEntropyLoss(), *settings)
with torch.no_grad():
    choices = class_model(test_x).argmax(dim=1).cpu()
class_accuracy = (choices == test_kinds).float().mean().item()
print(f"kind right {class_accuracy:.1%}")
assert class_accuracy > 0.99

# %% [markdown]
# Side by side, for one input of each kind: three sigmoids, each a probability of its own, and a softmax, whose three probabilities add up to 1.

# %% tags=["predict"] ask="What does the network for labels say to [0.5, 0.5]?" answers=["0.00 0.00 1.00", "1.00 1.00 1.00", "0.33 0.33 0.33"] why="Its questions are: is the second 0, is the first 0, is the first above 0? Each gets an answer of its own."
examples = torch.tensor([[0.5, 0.0], [0.0, 0.5], [0.5, 0.5]]).to(device)
with torch.no_grad():
    sigmoids = torch.sigmoid(model(examples)).cpu()
    softmax = torch.softmax(class_model(examples), dim=1).cpu()
for name, rows in [("labels", sigmoids), ("kinds ", softmax)]:
    for x, row in zip(examples.tolist(), rows, strict=True):
        shown = " ".join(f"{p:.2f}" for p in row)
        print(f"{name} {x}  {shown}  sum {row.sum():.1f}")
assert sigmoids[0].sum() > 1.8
assert torch.allclose(softmax.sum(dim=1), torch.ones(3))

# %% [markdown]
# | | multi-label | multi-class |
# |---|---|---|
# | use it when | any number of answers can be true | exactly one is true |
# | targets | zeros and ones, decimal, (samples, labels) | class numbers, whole, (samples,) |
# | loss | binary cross entropy | cross entropy |
# | answer | every label with a logit above 0 | the class with the largest logit |
#
# ## What it learned
#
# One square per label, with the probability of "yes" for every pair of numbers.
# Look at the left and the lower edge, where a number is 0.

# %% alt="Three squares: yes along the lower edge, along the left edge, off the left edge"
axis = torch.linspace(0, 1, 101)
pairs = torch.cartesian_prod(axis, axis).to(device)  # (10201, 2)
with torch.no_grad():
    maps = torch.sigmoid(model(pairs)).cpu().reshape(len(axis), len(axis), 3).numpy()

square = {"origin": "lower", "extent": (0, 1, 0, 1), "vmin": 0, "vmax": 1}
fig, axes = plt.subplots(1, 3, figsize=(5.4, 2.8), sharey=True, layout="constrained")
for i, ax in enumerate(axes):
    picture = ax.imshow(maps[:, :, i].T, **square)
    ax.set(title=f"label {i + 1}", xlabel="first number")
axes[0].set_ylabel("second number")
fig.colorbar(picture, ax=axes, label="probability of yes", location="bottom")
plt.show()

# %% [markdown]
# "Is it 0?" has become "is it near 0?".
# No sample has a number between 0 and 0.1, so the network may change its answer anywhere in that gap.
#
# ## Try it yourself
#
# **1.** Here one of two labels is always true.
# Ask instead whether the first number is above one half, and whether the second is; the network has three outputs, so let the third label be 0 always.
# Train it, with the settings chosen above.
# What does it say where neither is, as for $[0.2, 0.3]$?
# Call its probabilities there `none`.

# %% tags=["solution"]
above = torch.zeros_like(train_y)  # (samples, 3); the third label is never true
above[:, :2] = (train_x > 0.5).float()
above_model = train(above, criterion, *settings)
neither = torch.tensor([[0.2, 0.3]]).to(device)
with torch.no_grad():
    none = torch.sigmoid(above_model(neither))[0].cpu()
print(" ".join(f"{p:.1f}" for p in none))
assert not none.round().any()

# %% [markdown] tags=["solution"]
# It says no to all, and that is an answer, too: several labels can be true, or none.
# A softmax cannot say so: its probabilities add up to 1.

# %% [markdown]
# **2.** `nn.CrossEntropyLoss` also takes probabilities as targets.
# Give it the three labels, divided by their sum, and look at its softmax for $[0.5, 0]$: `both`, a tensor of three numbers.

# %% tags=["solution"]
divided = train_y / train_y.sum(dim=1, keepdim=True)
mixed_up = train(divided, nn.CrossEntropyLoss(), *settings)
with torch.no_grad():
    both = torch.softmax(mixed_up(examples[:1]), dim=1)[0].cpu()
print(" ".join(f"{p:.1f}" for p in both))
assert abs(both[0] - 0.5) < 0.145 and abs(both[2] - 0.5) < 0.145

# %% [markdown] tags=["solution"]
# Two labels that are both true get one half each: a softmax cannot say "yes" twice.

# %% [markdown]
# ## What next
#
# The [next page](35_rings.py) has one label again, and a shape that no line can separate.
# The second name for one loss, `nn.MultiLabelSoftMarginLoss`, was taken over from Torch, PyTorch's predecessor in Lua.
