# ---
# jupyter:
#   page:
#     teaches:
#       D5: Training by the old recipe
#       D6: Old mistakes
#     level: beginner
#     read_first: [31_softmax_and_cross_entropy, 32_mnist_data]
#     result: test_accuracy
# ---

# %% [markdown]
# # Logistic regression on MNIST
#
# One linear layer gives a picture ten scores, and the highest score names the digit.
# We train it as an old tutorial did, and it reads almost nine test digits in ten.
# Then we change the recipe one thing at a time, until it reads more than 92 % after a fortieth of the steps.
# You should know [cross entropy](31_softmax_and_cross_entropy.py) and [the data](32_mnist_data.py).

# %%
import math

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn import functional as F

from load import mnist

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## The data
#
# The whole of MNIST fits in memory, so we keep it there: each picture flattened to 784 numbers from 0 to 1.
# It moves to the GPU, if there is one, all at once.

# %%
digits = mnist()
train_images = (digits.train_images.flatten(1) / 255).to(device)  # (60000, 784)
train_labels = digits.train_labels.to(device)  # (60000,)
test_images = (digits.test_images.flatten(1) / 255).to(device)  # (10000, 784)
test_labels = digits.test_labels.to(device)  # (10000,)
print(f"train {tuple(train_images.shape)}, test {tuple(test_images.shape)}")

# %% [markdown]
# ## The model
#
# Each of the ten classes has 784 weights and a bias.
# Its score, or logit, is the weighted sum of the pixels plus the bias.
# Before training the scores mean nothing, and few digits are right.


# %%
def count_correct(logits, labels):
    """How many rows have their highest logit at their label, as a tensor."""
    return (logits.argmax(dim=1) == labels).sum()


@torch.no_grad()
def accuracy(model):
    """Share of the test digits that a model gets right."""
    model.eval()
    return count_correct(model(test_images), test_labels).item() / len(test_labels)


model = nn.Linear(784, 10).to(device)
print(f"{sum(p.numel() for p in model.parameters())} parameters")
print(f"untrained: test accuracy {accuracy(model):.3f}")
assert accuracy(model) < 0.22

# %% [markdown]
# ## Training by the old recipe
#
# The old tutorial takes 8 digits per step, a learning rate of 0.001, and five epochs.
# For each batch we
#
# 1. compute the logits, and their cross entropy with the labels;
# 2. clear the old gradients, and compute new ones;
# 3. let the optimizer step;
# 4. keep the loss, and how many digits were right, for a picture.
#
# After each epoch we measure the accuracy on the test digits.

# %%
batch_size = 8
learning_rate = 1e-3
num_epochs = 5

optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
losses, correct, test_accuracies = [], [], []

for epoch in range(num_epochs):
    model.train()
    order = torch.randperm(len(train_images)).to(device)
    for rows in order.split(batch_size):
        labels = train_labels[rows]
        logits = model(train_images[rows])  # (batch, 10)
        loss = F.cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
        correct.append(count_correct(logits, labels))
    test_accuracies.append(accuracy(model))
    print(f"epoch {epoch + 1}: test accuracy {test_accuracies[-1]:.3f}")
old_accuracy = test_accuracies[-1]
print(f"{len(losses):,} steps")
assert 0.8 < old_accuracy < 0.92 and len(losses) == 37_500
assert test_accuracies[0] < test_accuracies[2] < test_accuracies[4]

# %% [markdown]
# A single batch of eight says little, so the picture shows means over 500 batches.
# Look at where most of the learning happens, and whether it has ended.

# %% alt="Loss falls, accuracy rises: both steep at first, then slower and slower"
loss_curve = torch.stack(losses).unflatten(0, (-1, 500)).mean(dim=1).tolist()
hits = torch.stack(correct).unflatten(0, (-1, 500)).sum(dim=1) / (500 * batch_size)
epochs = [(i + 0.5) * num_epochs / len(loss_curve) for i in range(len(loss_curve))]

fig, (ax_loss, ax_accuracy) = plt.subplots(2, figsize=(5, 4.2), layout="constrained")
ax_loss.plot(epochs, loss_curve)
ax_loss.set(ylabel="loss", ylim=(0, None))
ax_accuracy.plot(epochs, hits.tolist(), label="training batches")
ax_accuracy.plot(range(1, num_epochs + 1), test_accuracies, "o", label="test")
ax_accuracy.set(xlabel="epoch", ylabel="accuracy")
ax_accuracy.legend()
plt.show()

# %% [markdown]
# Most of it happens in the first epoch, and the later ones still add a little.
# The steps are short, and the training stops before it arrives.
#
# ## Old mistakes
#
# The old tutorial divides the number of right digits by the batch size, both integers.
# In its day that division rounded down, so the accuracy was 0 unless all eight were right.
# Today `/` between integers gives a float, in Python and in PyTorch; `//` still rounds down.

# %%
right, total = torch.tensor(7), 8
print(f"rounded down {right // total}, divided {right / total}")
assert right // total == 0 and right / total == 0.875

# %% [markdown]
# It also calls `loss.cpu()` on a line of its own, to bring the loss back from the GPU.
# But such a method does not change its tensor: it returns another one, which nobody keeps here.
# `double()` is of the same family, and shows it without a GPU.
#
# The tutorial's `loss.data[0]` is an old spelling of `loss.item()`, and fails today.

# %%
loss.double()
print(f"still {loss.dtype}, still with its graph: {loss.requires_grad}")
assert loss.dtype == torch.float32 and loss.requires_grad
try:
    loss.data[0]
except IndexError as error:
    print(f"IndexError: {str(error).split('.')[0]}")
assert loss.item() == loss.detach() and not loss.detach().requires_grad

# %% [markdown]
# To keep a loss, take `loss.item()`, a Python number, or `loss.detach()`, a tensor without the graph.
# The first makes the program wait for the GPU at every step, so the loop above uses the second.
# The tutorial's `volatile=True` is the old way to do without gradients, where we write `torch.no_grad()`.
#
# ## One change at a time
#
# To compare recipes we put the loop above into a function, without the record keeping.
# It starts from the same weights each time, and trains for two epochs, not five: a better recipe should need less work.
# The lines about `one_cycle` are for the last change.
#
# To choose by the test digits, as we do, flatters the choice a little.
# In earnest one sets a part of the training digits aside for that, and looks at the test digits once.


# %%
def train(batch_size, optimizer_class, learning_rate, one_cycle=False, num_epochs=2):
    """A linear model, trained on all the training digits."""
    torch.manual_seed(0)
    model = nn.Linear(784, 10).to(device)
    optimizer = optimizer_class(model.parameters(), lr=learning_rate)
    num_steps = num_epochs * math.ceil(len(train_images) / batch_size)
    if one_cycle:
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, learning_rate, num_steps, cycle_momentum=False
        )
    for epoch in range(num_epochs):
        order = torch.randperm(len(train_images)).to(device)
        for rows in order.split(batch_size):
            loss = F.cross_entropy(model(train_images[rows]), train_labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if one_cycle:
                schedule.step()
    print(f"loss of the last batch {loss.item():.4f}")
    return model


# %% [markdown]
# **Larger batches.**
# A step over 128 digits takes little longer than one over 8, and an epoch has a sixteenth of the steps.
# By itself this makes the result worse: there are fewer steps, each as short as before.

# %%
batch_size = 128  # large enough that the arithmetic outweighs the bookkeeping
model = train(batch_size, torch.optim.SGD, learning_rate)
print(f"test accuracy after two epochs {accuracy(model):.3f}")
print(f"with batches of 8 it was {test_accuracies[1]:.3f}")
assert accuracy(model) < test_accuracies[1]

# %% [markdown]
# **Longer steps.**
# The gradient of a larger batch is less noisy and can be trusted further.
# We raise the learning rate from 0.001 to 0.5, and two epochs get further than five did.

# %%
learning_rate = 0.5  # found by trying
model = train(batch_size, torch.optim.SGD, learning_rate)
print(f"test accuracy {accuracy(model):.3f}")
assert accuracy(model) > old_accuracy

# %% [markdown]
# **Another optimizer.**
# SGD uses one learning rate for all weights.
# AdamW divides the step of each weight by the usual size of its gradient, as Adam does, so the weights of rarely inked pixels move too.
# It needs learning rates of another size, so ours changes along with it.
# The accuracy hardly moves yet: steps as long as these keep jumping about the best weights to the end.

# %%
sgd_accuracy = accuracy(model)
learning_rate = 0.02  # high for AdamW, but soon it will be only the peak
model = train(batch_size, torch.optim.AdamW, learning_rate)
adamw_accuracy = accuracy(model)
print(f"test accuracy {adamw_accuracy:.3f}")
assert abs(adamw_accuracy - sgd_accuracy) < 0.02

# %% [markdown]
# **A schedule.**
# A **one-cycle** schedule starts low, rises to the learning rate that we give it, and falls to almost nothing at the end.
# By default it moves the optimizer's momentum, too; `cycle_momentum=False` keeps it to one change.

# %%
model = train(batch_size, torch.optim.AdamW, learning_rate, one_cycle=True)
test_accuracy = accuracy(model)
print(f"test accuracy {test_accuracy:.3f}")
assert test_accuracy > adamw_accuracy

# %% [markdown]
# ## Result
#
# The same model makes less than nine tenths of the old recipe's mistakes, after 938 steps in place of 37,500.

# %%
num_steps = 2 * math.ceil(len(train_images) / batch_size)
print(f"{1 - old_accuracy:.1%} misread after {len(losses):,} steps,")
print(f"{1 - test_accuracy:.1%} misread after {num_steps} steps")
assert test_accuracy > 0.924 and 1 - test_accuracy < 0.9 * (1 - old_accuracy)
assert num_steps == 938 and num_steps * 39 < len(losses) < num_steps * 41

# %% [markdown]
# ## What it learned
#
# A class has as many weights as there are pixels, so they can be shown as a picture.
# Orange is where ink speaks for the digit, purple where ink speaks against it.
# Look at the middle of the 0 and of the 1.

# %% alt="Ten images of weights, one per digit; some show a smudged trace of the digit"
weights = model.weight.detach().cpu().unflatten(1, (28, 28)).numpy()  # (10, 28, 28)
limit = abs(weights).max() / 2

fig, axes = plt.subplots(2, 5, figsize=(5.5, 2.8), layout="constrained")
for digit, ax in enumerate(axes.flat):
    ax.imshow(weights[digit], cmap="PuOr_r", vmin=-limit, vmax=limit)
    ax.set_title(digit)
    ax.axis("off")
middle = weights[:, 12:16, 13:15].mean(axis=(1, 2))
assert middle[0] < 0 < middle[1]  # for every seed
plt.show()

# %% [markdown]
# Ink in the middle speaks against a 0 and for a 1.
# The strong colours along the border belong to pixels that few digits reach: AdamW moves their weights far on little evidence.
#
# Which digits does it take for which?
# A **confusion matrix** counts, for each true digit, what the model said.
# The diagonal, where it was right, is left empty in the picture, since it would outshine the rest.

# %% alt="Confusion matrix of ten by ten digits without its diagonal"
with torch.no_grad():
    probabilities = model(test_images).softmax(dim=1).cpu()  # (10000, 10)
truth, guess = digits.test_labels, probabilities.argmax(dim=1)
confusion = (truth * 10 + guess).bincount(minlength=100).unflatten(0, (10, 10))
assert confusion.trace() == round(test_accuracy * len(truth))

fig, ax = plt.subplots(figsize=(4.5, 3.8), layout="constrained")
mistakes = confusion.double().fill_diagonal_(torch.nan).numpy()
fig.colorbar(ax.imshow(mistakes, cmap="viridis"), label="test digits")
ax.set(xlabel="the model said", ylabel="it was", xticks=range(10), yticks=range(10))
plt.show()

# %% [markdown]
# The bright squares are the pairs that it confuses most.
#
# ## Try it yourself
#
# **1.** How far does the new recipe get in a single epoch?

# %% tags=["solution"]
one_epoch = train(batch_size, torch.optim.AdamW, learning_rate, True, num_epochs=1)
print(f"test accuracy {accuracy(one_epoch):.3f} after one epoch")
assert accuracy(one_epoch) > old_accuracy

# %% [markdown]
# **2.** Which are the ten mistakes of which the model was surest?
# Would you have read those digits right?

# %% tags=["solution"] alt="Ten misread digits, each with its label and the guess"
wrong = (guess != truth).nonzero().squeeze(1)
sureness = probabilities.amax(dim=1)
surest = wrong[sureness[wrong].argsort(descending=True)[:10]]

fig, axes = plt.subplots(2, 5, figsize=(5.5, 2.8), layout="constrained")
for ax, i in zip(axes.flat, surest):
    ax.imshow(digits.test_images[i].numpy(), cmap="gray")
    ax.set_title(f"{truth[i]} → {guess[i]}")
    ax.axis("off")
plt.show()

# %% [markdown]
# ## What next
#
# However it is trained, one linear layer sees each pixel by itself, and has no way to say "these two together".
# [Four hidden layers](37_mnist_deep_classifier.py) do, and pass 98 %.
# The [next page](34_several_labels.py) first asks what to do where several answers are right at once.
