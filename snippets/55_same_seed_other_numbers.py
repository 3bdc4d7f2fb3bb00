# ---
# jupyter:
#   page:
#     teaches: {}
#     level: intermediate
#     read_first: [26_neural_network, 33_mnist_logistic_regression]
# ---

# %% [markdown]
# # Same seed, other numbers
#
# The same script with the same seed prints one loss on one machine and another loss on the next, and nobody has made a mistake.
# Here we see where that comes from: weights moved by the smallest possible amount, and what a few hundred steps of training make of it.
# Then we see what a seed promises, and how to report a result that others can check.
# You should know a [network](26_neural_network.py) and what a [learning rate](33_mnist_logistic_regression.py) does to it.

# %%
import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn import functional as F

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## Sums depend on their order
#
# A number in PyTorch, a `float32`, has room for about seven digits, and each sum is rounded to them.
# Beside a hundred million, a single one is less than the last digit.

# %% tags=["predict"] ask="How far from 1 is the next larger number that a float32 can hold?" answers=["1.4e-45", "2.2e-16", "1.2e-07"] why="A float32 has about seven digits, and the 1 takes up the first of them."
large, one = torch.tensor(1e8), torch.tensor(1.0)
print("(large + one) - large =", ((large + one) - large).item())
print("(large - large) + one =", ((large - large) + one).item())
print(f"one digit more of 1 is {torch.finfo(torch.float32).eps:.1e}")
assert (large + one) - large == 0 and (large - large) + one == 1

# %% [markdown]
# A long sum is added up in pieces, and how large the pieces are depends on the processor, how many numbers it adds at once, the number of threads, and the release of PyTorch.
# Here the same 100,000 numbers are cut into pieces in five ways.

# %%
numbers = torch.rand(100_000)
pieces = [1, 10, 100, 1000, 10_000]
sums = [numbers.view(count, -1).sum(dim=1).sum().item() for count in pieces]
apart = (max(sums) - min(sums)) / min(sums)
print(f"more than one sum: {len(set(sums)) > 1}")
print(f"apart by less than a millionth: {apart < 1e-6}")
assert 0 < apart < 1e-6

# %% [markdown]
# That is where machines differ, and it is tiny.
# It stays tiny in a single step; a training takes many.
#
# ## A small difference, and a hundred steps
#
# Points in a square have the label 1 if they lie in a circle around its middle.
# A network with two hidden layers learns that from 400 of them, and is judged on 2,000 others.


# %%
def make_points(n):
    """Points (n, 2) between -1 and 1, and their labels (n, 1)."""
    points = 2 * torch.rand(n, 2) - 1
    inside = points.square().sum(dim=1, keepdim=True) < 0.5
    return points.to(device), inside.float().to(device)


x, y = make_points(400)
test_x, test_y = make_points(2000)


def make_network(seed):
    """A network for the points; a seed always gives the same one."""
    torch.manual_seed(seed)
    first, second, last = nn.Linear(2, 16), nn.Linear(16, 16), nn.Linear(16, 1)
    return nn.Sequential(first, nn.Tanh(), second, nn.Tanh(), last).to(device)


# %% [markdown]
# `train` takes 400 steps and keeps all weights after each of them.


# %%
def train(network, learning_rate=0.7, num_steps=400, points=(x, y)):
    """The weights after each step (steps, weights), and the accuracy at the end."""
    x, y = points
    optimizer = torch.optim.SGD(network.parameters(), lr=learning_rate)
    history = []
    for _ in range(num_steps):
        loss = F.binary_cross_entropy_with_logits(network(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        weights = [p.detach().flatten() for p in network.parameters()]
        history.append(torch.cat(weights))
    with torch.no_grad():
        right = (network(test_x) > 0) == (test_y == 1)
    return torch.stack(history), right.float().mean().item()


# %% [markdown]
# Now two trainings from the same seed.
# In the second, the weights of the first layer, 32 of 337, are moved to the next number that a float can hold: no sum differs by less.


# %% tags=["predict"] ask="The two differ by one rounding. When are they more than a hundredth apart?" answers=["within 2 steps they come apart by more", "within 20 steps they come apart by more", "within 400 steps they come apart by more"] why="One step makes the difference only a little larger, so a ten-millionth takes many steps to become a hundredth."
def nudge(network):
    """Move each weight of the first layer to the next larger number."""
    with torch.no_grad():
        weight = network[0].weight
        weight.copy_(torch.nextafter(weight, torch.full_like(weight, 9.0)))


network, moved = make_network(seed=1), make_network(seed=1)
num_weights = sum(p.numel() for p in network.parameters())
nudge(moved)
history, accuracy = train(network)
moved_history, moved_accuracy = train(moved)
distance = (history - moved_history).norm(dim=1).cpu()  # (400,)
print(f"{network[0].weight.numel()} of {num_weights} weights are moved")
for steps in [2, 20, 400]:
    side = "more" if distance[:steps].max() > 0.01 else "less"
    print(f"within {steps} steps they come apart by {side} than a hundredth")
assert num_weights == 337

# %% [markdown]
# In the picture one line is the distance between the two, the other how far the first has come from where it started.
# See where they meet.

# %% alt="Distance between two trainings, rising from one ten-millionth to one in 100 steps"
assert distance[:20].max() < 1e-5
assert distance.max().log10() > -1.6  # seeds differ by factors

way = (history - history[0]).norm(dim=1).cpu()
fig, ax = plt.subplots(figsize=(5.5, 3.2), layout="constrained")
ax.semilogy(range(2, 401), way[1:], "--", label="from the start")
ax.semilogy(range(1, 401), distance, label="from each other")
ax.set(xlabel="step", ylabel="distance of all weights", ylim=(1e-9, 100))
ax.legend()
plt.show()

# %% [markdown]
# For many steps next to nothing is to be seen.
# Then a few steps multiply the difference again and again, and the two are different networks.
# Training with a large learning rate can be **chaotic**, as the weather is: what differs in the last digit may differ in all digits later.
#
# But are they differently good?

# %%
p = accuracy
standard_error = (p * (1 - p) / len(test_y)) ** 0.5
print(f"accuracy {accuracy:.2f} and {moved_accuracy:.2f}")
print(f"standard error of one {standard_error:.3f}")
rarer = min(test_y.mean(), 1 - test_y.mean()).item()
assert 1 - min(accuracy, moved_accuracy) < rarer / 2

# %% [markdown]
# Both learn: each makes less than half the mistakes of somebody who always gives the more frequent answer.
# Which of them is a little better is a matter of luck, and other test points could move either figure by a standard error.
# So the digits of a run are not a property of the recipe; what many runs have in common is.
#
# ## It need not be so
#
# With a seventh of the rate and 1,500 steps, the same weights moved by as little:

# %%
calm, calm_moved = make_network(seed=1), make_network(seed=1)
nudge(calm_moved)
calm_history, calm_accuracy = train(calm, learning_rate=0.1, num_steps=1500)
calm_moved_history, _ = train(calm_moved, learning_rate=0.1, num_steps=1500)
apart = (calm_history - calm_moved_history).norm(dim=1).max().item()
print(f"never further apart than a ten-thousandth: {apart < 1e-4}")
print(f"accuracy {calm_accuracy:.2f}")
assert 0 < apart < 1e-4 and calm_accuracy > 0.95

# %% [markdown]
# Here the difference grows, too, but it stays below a ten-thousandth.
# It took more steps, and the network is no worse for it.
#
# ## What a seed promises
#
# The same seed gives the same random numbers, in the same order, from the same kind of generator.
# So with one draw more, all that follow move up by one.

# %%
torch.manual_seed(0)
first = torch.rand(3)
torch.manual_seed(0)
torch.rand(1)  # somebody draws a number before us
later = torch.rand(3)
print("the same numbers:", torch.equal(first, later))
assert not torch.equal(first, later) and torch.equal(first[1:], later[:2])

# %% [markdown]
# A generator of one's own keeps a part of the program apart: its numbers depend on nothing else that draws.

# %%
draws = []
for others in [0, 5]:
    order = torch.Generator().manual_seed(0)
    torch.rand(others)  # from the common generator
    draws.append(torch.randperm(10, generator=order))
print(draws[0].tolist())
assert torch.equal(draws[0], draws[1])

# %% [markdown]
# A seed does not promise
#
# - the same numbers on a GPU as on the CPU, since each has generators of its own kind;
# - the same mask of [dropout](47_overfitting.py) on another system, where PyTorch may draw it by another library;
# - the same sums, as we have seen;
# - the same algorithm: on a GPU some add up in whatever order their threads arrive, in each run another, and cuDNN, which computes convolutions there, can be told to try several and keep the fastest of this minute (`torch.backends.cudnn.benchmark`).
#
# Against sums in any order there is a switch, which makes PyTorch choose algorithms that repeat themselves, or raise an error where it has none; CUDA also wants the environment variable `CUBLAS_WORKSPACE_CONFIG=:4096:8` for it.
# The choice by the clock is off unless somebody turns it on, and where numbers are to repeat, it has to stay off.
# One thing can be seen on any device: memory that nobody has written to is filled, so that nobody computes with what lay there.

# %%
torch.use_deterministic_algorithms(True)
print("empty, with the switch on:", torch.empty(3).tolist())
assert torch.empty(3).isnan().all()
torch.use_deterministic_algorithms(False)

# %% [markdown]
# ## How to say a result
#
# Not by the digits of one run.
# We train from five seeds at the large rate, and say mean, standard deviation and number of runs.

# %%
accuracies = torch.tensor([train(make_network(seed))[1] for seed in range(5)])
mean, deviation = accuracies.mean().item(), accuracies.std().item()
print(f"accuracy {mean:.2f} ± {deviation:.2f} (5 seeds, 2,000 points held out)")
assert mean > 0.92

# %% [markdown]
# Whoever runs it elsewhere gets other runs of the same recipe, and can tell whether theirs belong to these.
#
# ## Try it yourself
#
# **1.** The same nudge at each of the five seeds: by how much does the accuracy change at most?
# Put the five `changes`, without their signs, into a list.

# %% tags=["solution"]
changes = []
for seed in range(5):
    nudged = make_network(seed)
    nudge(nudged)
    changes.append(abs(train(nudged)[1] - accuracies[seed].item()))
print(f"by less than 15 points: {max(changes) < 0.15}")
assert len(changes) == 5 and 0 <= min(changes) <= max(changes) < 0.3  # for every seed

# %% [markdown]
# **2.** Shuffle the 400 points, and train again from the seed 1: the mean over all points is the same, but for rounding.
# Is the result?
# Call the distance between these weights and those of `history`, after each step, `gap`.

# %% tags=["solution"]
shuffle = torch.randperm(len(x)).to(device)
shuffled = (x[shuffle], y[shuffle])
shuffled_history, shuffled_accuracy = train(make_network(seed=1), points=shuffled)
gap = (shuffled_history - history).norm(dim=1)
print(f"accuracy {shuffled_accuracy:.2f}, other weights: {bool(gap.max() > 0.01)}")
assert gap[:20].max() < 1e-5
assert gap.max() > 100 * gap[:20].max()

# %% [markdown] tags=["solution"]
# The order of the points decides the order of the additions, and that is enough.

# %% [markdown]
# ## What next
#
# The [next page](56_were_they_right.py) runs the old tutorials' recipes whole, and compares what they reported with what comes out.
# [How sure can we be?](38_how_sure_can_we_be.py) has more on what a spread over seeds says, and what a test set allows.
# That a last digit can decide everything was found by Edward Lorenz in 1961, when he typed a number with three digits in place of six into a model of the weather.
