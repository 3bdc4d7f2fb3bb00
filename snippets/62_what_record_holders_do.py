# ---
# jupyter:
#   page:
#     teaches: {}
#     level: advanced
#     read_first: [61_much_faster]
#     result: test_accuracy
#     cites:
#       "94 %": reached by airbench94, Keller Jordan, arXiv 2404.00498
#       "3.29": its seconds on an NVIDIA A100, in the same paper
#       "2.59": seconds of airbench94_muon on the same, by its author
#       "2 × 2": the size of its first filters
# ---

# %% [markdown]
# # What record holders do
#
# Here we rebuild five parts of the recipes that held or hold speed records for [CIFAR-10](41_cifar10.py), small enough for one thread of a processor, and measure each.
# Two of them pay here; three change nothing that could be seen.
# With those two, the network of the [page before](61_much_faster.py) gets 0.70 of the test pictures right where it got 0.66, again from one look at each training picture.
# The recipe that most of them are from, Keller Jordan's [airbench94](https://arxiv.org/abs/2404.00498), gets 94 % after 3.29 seconds of training on one NVIDIA A100; so its author wrote in 2024.
# His later recipe, with Muon, takes 2.59, by his account.
# Nothing of that was run here: side by side, on one card, it is still to be measured.
# Compiling the network, which belongs to such recipes on a GPU, [gained nothing on a processor](../docs/measured.md#what-bfloat16-and-torchcompile-save-of-a-step).
# You should know that page, the [network that it began with](45_convolutional_network.py), [batch normalisation](47_overfitting.py), [momentum](37_mnist_deep_classifier.py), and [how sure a figure is](38_how_sure_can_we_be.py).

# %%
import functools
import math
import statistics

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from load import cifar10

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## The data
#
# [Standardised](43_convolution.py) pictures: 45,000 to train on, 5,000 to choose by, and the test pictures for the end.

# %%
data = cifar10()
pixels = data.train_images[:10_000].float()
channel_std, channel_mean = torch.std_mean(pixels, dim=(0, 2, 3), keepdim=True)


def standardize(images):
    """Bytes as floats with mean 0 and standard deviation 1 in each channel."""
    images = images.to(torch.float32, memory_format=torch.channels_last)
    return ((images - channel_mean) / channel_std).to(device)


train_images = standardize(data.train_images[:45_000])  # (45000, 3, 32, 32)
train_labels = data.train_labels[:45_000].to(device)
valid_images = standardize(data.train_images[-5_000:])
valid_labels = data.train_labels[-5_000:].to(device)

# %% [markdown]
# ## A recipe with parts
#
# The network is that of the page before, but its first layer is handed in.


# %%
def network(first, widths):
    """Three convolutions and a linear layer; (batch, 3, 32, 32) to 10 logits."""
    a, b = widths
    return nn.Sequential(
        *(first, nn.ReLU()),  # (batch, 16, 16, 16)
        *(nn.Conv2d(16, a, kernel_size=3, padding=1), nn.MaxPool2d(2)),
        *(nn.BatchNorm2d(a), nn.ReLU()),  # (batch, a, 8, 8)
        *(nn.Conv2d(a, b, kernel_size=3, padding=1), nn.MaxPool2d(2)),
        *(nn.BatchNorm2d(b), nn.ReLU()),  # (batch, b, 4, 4)
        *(nn.Flatten(), nn.Linear(16 * b, 10)),
    )


def learned():
    """The first layer of the page before, 16 filters of 4 × 4, new and untrained."""
    return nn.Conv2d(3, 16, kernel_size=4, stride=2, padding=1)


# %% [markdown]
# How pictures are mirrored is handed in as well: none, those for which a coin falls on heads, or one half and the other in turn.
# So are the optimizers, as a list, since Muon will need a second one beside it.


# %%
def mirrored(way, half, epoch):
    """True for pictures to mirror; `half` is drawn once, before the first epoch."""
    if way == "in turn":
        return half if epoch % 2 == 0 else ~half
    return torch.rand(len(half)) < (0.5 if way == "by a coin" else 0.0)


def adamw(model, rate):
    return [torch.optim.AdamW(model.parameters(), lr=rate)]


# %% [markdown]
# The loop is that of the page before, with its one-cycle schedule.
# It shows a few pictures four times: mirrors work against learning by heart, and where each picture is seen once there was [nothing to be seen](61_much_faster.py) of them.

# %%
batch_size = 64  # as on the page before
plain = {"first": learned, "optimizers": adamw, "mirrors": "by a coin"}
few = {"num_pictures": 640, "num_epochs": 4, "widths": (32, 64)}  # a second for a run


def training(recipe, rate, seed):
    """Train a new network on the first pictures; yield it after each step."""
    torch.manual_seed(seed)
    model = network(recipe["first"](), recipe["widths"])
    model = model.to(device, memory_format=torch.channels_last)
    num_steps = recipe["num_epochs"] * math.ceil(recipe["num_pictures"] / batch_size)
    optimizers = recipe["optimizers"](model, rate)
    schedules = [
        OneCycleLR(optimizer, optimizer.defaults["lr"], num_steps, cycle_momentum=False)
        for optimizer in optimizers
    ]
    half = torch.rand(recipe["num_pictures"]) < 0.5
    for epoch in range(recipe["num_epochs"]):
        flips = mirrored(recipe["mirrors"], half, epoch)[:, None, None, None]
        for batch in torch.randperm(recipe["num_pictures"]).split(batch_size):
            images, flip = train_images[batch], flips[batch].to(device)
            images = torch.where(flip, images.flip(3), images)
            model.train()
            loss = F.cross_entropy(model(images), train_labels[batch])
            model.zero_grad()
            loss.backward()
            for optimizer, schedule in zip(optimizers, schedules):
                optimizer.step()
                schedule.step()
            yield model


# %% [markdown]
# What has been trained is kept, and beside it a mean of its weights, which a section below is about.

# %%
recipes = {"learned": plain | few}
decay = 0.95  # of that mean; it looks back over some 20 steps


@functools.cache
def trained(name, rate, seed):
    """The network after its last step, and with the mean of its weights."""
    mean, average = None, get_ema_multi_avg_fn(decay)
    for model in training(recipes[name], rate, seed):
        mean = mean or AveragedModel(model, multi_avg_fn=average, use_buffers=True)
        mean.update_parameters(model)
    return {"last": model.eval(), "mean": mean.eval()}


@torch.no_grad()
def predict(model, images):
    """The logits of pictures, (n, 10)."""
    return torch.cat([model(part) for part in images.split(500)])


def accuracy(logits, labels):
    """Share of the pictures whose highest logit is at their label."""
    return (logits.argmax(dim=1) == labels).float().mean().item()


# %% [markdown]
# Each recipe is tried at three learning rates, and three other seeds run at the best of them.
# 2,000 of the pictures set aside choose the rate, to save time; all 5,000 judge the three.
# All runs train on the same 640 pictures.
# A seed decides the weights, the order and the mirrors; a recipe that draws more numbers, as random filters do, or fewer, as mirrors in turn do, has another order at the same seed.

# %%
best_rates, results = {}, {}


@functools.cache
def score(name, rate, seed, weights, count):
    """Accuracy on the first `count` of the pictures set aside."""
    logits = predict(trained(name, rate, seed)[weights], valid_images[:count])
    return accuracy(logits, valid_labels[:count])


def compare(name, rates, weights="last"):
    """Accuracies at three rates, then mean and deviation at the best of them."""
    scores = [score(name, rate, 0, weights, 2_000) for rate in rates]
    best = best_rates[name] = rates[scores.index(max(scores))]
    runs = [score(name, best, seed, weights, 5_000) for seed in [1, 2, 3]]
    mean = results[name, weights] = statistics.mean(runs)
    print(*(f"{accuracy:.2f}" for accuracy in scores), end="  ")
    label = name if weights == "last" else "mean of the weights"
    print(f"{mean:.2f} ± {statistics.stdev(runs):.3f}  {label}")


# %% [markdown]
# ## A whitened first layer
#
# Neighbouring pixels are nearly alike, so the 48 numbers of a 4 × 4 patch repeat each other.
# How numbers vary together stands in their **covariance** matrix: for each two of them, the mean product of what each is above (or, negative, below) its own mean.
# Its **eigenvectors** are directions of which no two vary together, and the eigenvalue of each is the variance along it, a squared standard deviation.
# (They are the [principal components](37_mnist_deep_classifier.py) of the patches.)

# %%
patches = F.unfold(train_images[:5_000], kernel_size=4, stride=4)  # (5000, 48, 64)
patches = patches.transpose(1, 2).flatten(0, 1)  # (320000, 48)
covariance = torch.cov(patches.T)
values, vectors = torch.linalg.eigh(covariance)  # the smallest comes first
values, vectors = values.flip(0), vectors.flip(1)
for count in (1, 8):
    print(f"{values[:count].sum() / values.sum():.2f} of the variance in {count} of 48")
assert values[:8].sum() > 0.95 * values.sum()

# %% [markdown]
# Three quarters of all variance is in one direction.
# A filter with random weights answers to that one as well, so sixteen of them repeat some of what the others say.
#
# **Whitening** divides each direction by its standard deviation, the root of the eigenvalue.
# Then all vary equally, and no two together.
# The record holder's first layer does so with patches of 2 × 2, and each filter has its negative beside it, since an activation lets hardly more than one side of what a filter says through.
# We keep the sixteen filters of 4 × 4: the first eight eigenvectors, and their negatives.
# With all 48 one would add a small number under the root, since the last eigenvalues are nearly 0.

# %%
white = (vectors[:, :8] / values[:8].sqrt()).T  # (8, 48)
white = white * white[:, :1].sign()  # of a vector and its negative either may be found
other = F.unfold(train_images[5_000:10_000], kernel_size=4, stride=4)
answers = white @ other.transpose(0, 1).flatten(1)  # (8, 320000)
off = (torch.cov(answers) - torch.eye(8, device=device)).abs().max().item()
print(f"off by {off:.2f} at most")
assert off < 0.15

# %% [markdown]
# On other pictures, too, the covariance of the answers is nearly the identity matrix, which has ones on its diagonal and zeros elsewhere.
# Look at the filters from left to right: what does each compare?

# %% alt="Eight filters: one even and grey, some with a light and a dark side, two of one colour"
fig, axes = plt.subplots(1, 8, figsize=(7, 1.4), layout="constrained")
for ax, weights, value in zip(axes, white.cpu(), values):
    picture = weights.view(3, 4, 4).permute(1, 2, 0)
    ax.imshow((0.5 + 0.5 * picture / picture.abs().max()).numpy())
    ax.set(title=f"{value:.1f}", xticks=[], yticks=[])
fig.supxlabel("variance of the patches in this direction")
plt.show()

# %% [markdown]
# Brightness comes first, then above against below, a colour, and left against right; then stripes, a second colour and a diagonal.
#
# These filters stay as they are, and only their biases learn.
# To see whether it is enough to have fixed filters of a fair size, the eight are also drawn at random, and scaled to answer with a deviation of 1.


# %%
def fixed(filters):
    """A first layer of eight filters and their negatives, which do not learn."""
    layer = learned()
    weight = torch.cat([filters, -filters]).view_as(layer.weight)  # (16, 3, 4, 4)
    layer.weight = nn.Parameter(weight, requires_grad=False)
    nn.init.zeros_(layer.bias)
    return layer


def drawn():
    filters = torch.randn(8, 48).to(device)
    variances = (filters @ covariance * filters).sum(dim=1, keepdim=True)
    return fixed(filters / variances.sqrt())


rates = [0.004, 0.01, 0.025]  # around the 0.01 of the page before
recipes["drawn"] = recipes["learned"] | {"first": drawn}
recipes["whitened"] = recipes["learned"] | {"first": lambda: fixed(white)}
for name in ["learned", "drawn", "whitened"]:
    compare(name, rates)
best = results["whitened", "last"]
print(f"standard error {math.sqrt(best * (1 - best) / len(valid_labels)):.3f}")
assert best > results["learned", "last"] + 0.015
assert best > results["drawn", "last"]

# %% [markdown]
# The first three columns are the accuracies at the three rates, then come mean and standard deviation of the other seeds.
# Whitening brings six points, 0.44 in place of 0.38, and the network has less to learn, not more.
# Filters drawn at random lie between: to be fixed and of a fair size explains a part of it at most.
# All that follows has the whitened layer.
#
# ## Mirrors in turn
#
# A coin that is tossed anew in each epoch often shows a picture as the epoch before did.
# Jordan's **alternating flip** draws once which half starts mirrored, and then each picture changes sides in every epoch.

# %% tags=["predict"] ask="By a coin: what share of the pictures looks as it did in the epoch before?" answers=["0.50 by a coin", "0.25 by a coin", "0.00 by a coin"] why="Whatever the last coin said, the next one says the same half of the time."
same = {}
half = torch.rand(10_000) < 0.5
for way in ["by a coin", "in turn"]:
    flips = torch.stack([mirrored(way, half, epoch) for epoch in range(4)])
    same[way] = (flips[1:] == flips[:-1]).float().mean().item()
    print(f"{same[way]:.2f} {way}")

# %%
recipes["no mirrors"] = recipes["whitened"] | {"mirrors": "none"}
recipes["in turn"] = recipes["whitened"] | {"mirrors": "in turn"}
for name in ["no mirrors", "whitened", "in turn"]:
    compare(name, rates)
assert 0.49 < same["by a coin"] < 0.51 and same["in turn"] == 0
assert abs(results["in turn", "last"] - results["whitened", "last"]) < 0.03

# %% [markdown]
# Between the coin and taking turns is no difference that could be told from luck.
# Whether mirrors bring a point or nothing, three seeds do not tell either: perhaps four looks at each picture are too few to learn much by heart, which is what mirrors work against.
# Jordan found mirrors in turn ahead of the coin wherever mirrors helped at all, in trainings with more epochs than ours.
#
# ## The mean of the weights
#
# The last batches pull the weights to and fro, and a mean over the last steps should lie nearer to the middle.
# An **exponential mean** needs no old weights: after each step it keeps the share `decay` of itself, and takes the rest from the new weights.
# The mean and deviation that batch normalisation remembers are averaged in the same way.
# The record's recipe uses a relative of it, Lookahead, which also moves the training itself to the mean from time to time.
# Our recipe has kept that mean all along, so there is nothing to train.

# %%
compare("whitened", rates)
compare("whitened", rates, weights="mean")
gain = results["whitened", "mean"] - results["whitened", "last"]
assert gain < 0.02

# %% [markdown]
# The mean is no better; by these seeds nobody could tell it from the last weights.
# (A training has forty steps here, so a mean over some twenty looks back far; a shorter one was not tried.)
# The one-cycle schedule ends with steps of almost nothing, so perhaps the weights have come to rest already, and a mean looks back to where they were before.
#
# ## Muon
#
# A matrix stretches some directions more than others, by its **singular values**.
# Seen as a matrix, with a row for each filter, the gradient of a convolution is much larger in some directions than in others, and so is a step along it.
# **Muon** by Jordan and others makes all singular values about equal, so that each direction gets its share; this is called orthogonalising.
# It needs only matrix products: five times the same polynomial (the iteration of Newton and Schulz), whose coefficients are theirs, drives each value between 0 and 1 to near 1, unless it is tiny.


# %% tags=["predict"] ask="Which shape has the gradient of 32 filters over 16 channels, 3 × 3, as a matrix?" answers=["(32, 144)", "(512, 9)", "(288, 16)"] why="A row for each filter, and in it all that the filter multiplies: 16 × 3 × 3 numbers."
def orthogonalized(matrix):
    """Newton-Schulz: the same directions, with singular values near 1."""
    x = matrix / matrix.norm()  # now none is above 1
    for _ in range(5):
        square = x @ x.T
        x = 3.4445 * x + (-4.775 * square + 2.0315 * square @ square) @ x
    return x


model = network(fixed(white), (32, 64)).to(device)
F.cross_entropy(model(train_images[:64]), train_labels[:64]).backward()
gradient = model[2].weight.grad
matrix = gradient.flatten(1)
print(tuple(gradient.shape), "->", tuple(matrix.shape))

# %%
before, after = map(torch.linalg.svdvals, (matrix, orthogonalized(matrix)))
for singular in (before / matrix.norm(), after):
    print(f"{singular.max():.2f} to {singular.min():.2f}")
assert 0.5 < after.min() < after.max() < 1.4  # for every seed
assert before.max() > 4 * before.min()

# %% [markdown]
# Before, the largest is about eight times the smallest; after, all are between 0.68 and 1.13.
# PyTorch's `torch.optim.Muon` takes matrices only, so we write our own for convolutions, with Nesterov's momentum: the step is not along the mean of the past gradients, but along that mean with the newest gradient mixed in once more.
# Biases, batch normalisation and the last layer are left to AdamW, at 0.01, its best rate above.


# %%
class Muon(torch.optim.Optimizer):
    """Steps along the orthogonalised momentum, for weights of convolutions."""

    def __init__(self, weights, lr, momentum=0.9):
        super().__init__(weights, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self):
        group = self.param_groups[0]
        for weight in group["params"]:
            state, old = self.state[weight], group["momentum"]
            mean = state.setdefault("mean", torch.zeros_like(weight))
            mean.lerp_(weight.grad, 1 - old)
            ahead = weight.grad.lerp(mean, old)  # (filters, channels, 3, 3)
            weight -= group["lr"] * orthogonalized(ahead.flatten(1)).view_as(weight)


def muon(model, rate):
    filters = [layer.weight for layer in model[1:] if isinstance(layer, nn.Conv2d)]
    rest = [parameter for parameter in model.parameters() if parameter.ndim < 4]
    return [Muon(filters, lr=rate), torch.optim.AdamW(rest, lr=0.01)]


def sgd(model, rate):
    return [torch.optim.SGD(model.parameters(), rate, momentum=0.9, nesterov=True)]


# %%
recipes["SGD"] = recipes["whitened"] | {"optimizers": sgd}
recipes["Muon"] = recipes["whitened"] | {"optimizers": muon}
compare("whitened", rates)  # with AdamW
compare("SGD", [0.02, 0.06, 0.18])
compare("Muon", [0.03, 0.1, 0.3])
assert results["Muon", "last"] > results["whitened", "last"] - 0.015

# %% [markdown]
# The three optimizers are equal, each at the best of its three rates.
# In the one run at each, Muon reads 0.45 at all three, though they differ by ten times, and SGD falls to 0.28 at the largest: so Muon may be less particular about its rate.
# (Its rate moves the convolutions only, which may be the reason: AdamW moves the rest at 0.01.)
#
# ## Two looks at each picture
#
# In use, one can ask for the logits of a picture and of its mirror image, and add them.
# It takes no training, and twice the time for each answer.
# The three whitened networks, trained with AdamW, are asked so:

# %%
gains = []
for seed in [1, 2, 3]:
    model = trained("whitened", best_rates["whitened"], seed)["last"]
    once = predict(model, valid_images)
    twice = once + predict(model, valid_images.flip(3))
    gains.append(accuracy(twice, valid_labels) - accuracy(once, valid_labels))
gain = statistics.mean(gains)
print(f"gain {gain:.3f} ± {statistics.stdev(gains):.3f}")
assert gain > 0.0015

# %% [markdown]
# It is about one point on the same pictures, and nothing had to be trained for it.
#
# ## All that pays
#
# The recipe of the page before with a whitened first layer, and two looks at each picture.
# As there it sees all training pictures once, at the same rate, so mirrors are left out.
# A GPU has room for more: there the same lines take a wider network and eight epochs, with mirrors in turn.
# What that reaches is still to be measured; all figures here are of the small sizes.
# Then come the test pictures, for the first time.

# %%
sizes = {"widths": (32, 64), "num_epochs": 1, "mirrors": "none"}
if device.type == "cuda":
    sizes = {"widths": (256, 512), "num_epochs": 8, "mirrors": "in turn"}
recipe = recipes["whitened"] | {"num_pictures": len(train_images)} | sizes
test_images, test_labels = standardize(data.test_images), data.test_labels.to(device)
looks = {"one look": [], "two looks": []}
for seed in [1, 2, 3]:
    *_, model = training(recipe, rate=0.01, seed=seed)
    once = predict(model.eval(), test_images)
    twice = once + predict(model, test_images.flip(3))
    for runs, logits in zip(looks.values(), [once, twice]):
        runs.append(accuracy(logits, test_labels))
for name, runs in looks.items():
    print(f"{statistics.mean(runs):.2f} ± {statistics.stdev(runs):.3f}  {name}")
test_accuracy = statistics.mean(looks["two looks"])
standard_error = math.sqrt(test_accuracy * (1 - test_accuracy) / len(test_labels))
print(f"standard error {standard_error:.3f}")
assert test_accuracy > 0.69

# %% [markdown]
# One look gives 0.69, two give 0.70, and [the page before](61_much_faster.py) got 0.663 ± 0.003, after as many pictures.
# So filters that nobody trains are worth two to three points there, by three seeds here and five there, and the mirror one more.
# It is far from 94 %, which takes a much larger network and more epochs: figures of a record say little about parts at another size, and each has to be measured again.
#
# ## Try it yourself
#
# **1.** Whitening with all 48 eigenvectors multiplies each direction by one over its deviation.
# How many times more is that for the last direction than for the first: `louder`?

# %% tags=["solution"]
louder = (values[0] / values[-1]).sqrt().item()
print(f"about {round(louder, -2):.0f} times")
assert math.isclose(louder**2, values[0] / values[-1], rel_tol=1e-3)

# %% [markdown] tags=["solution"]
# The last direction is little more than noise of the camera and of rounding, and would be as loud as brightness.
# That is why something small is added under the root, or why one stops earlier.

# %% [markdown]
# **2.** Hold our step to PyTorch's: make a parameter `flat` of zeros in the shape of `matrix`, give it `matrix` as its gradient, and let `torch.optim.Muon` take one step with a learning rate of 1 and no weight decay.
# After it, `flat` should be nearly `-orthogonalized(matrix)`.

# %% tags=["solution"]
flat = nn.Parameter(torch.zeros_like(matrix))
flat.grad = matrix.clone()
torch.optim.Muon([flat], lr=1.0, weight_decay=0.0).step()
difference = (flat + orthogonalized(matrix)).norm() / flat.norm()
print(f"steps differ by {difference:.2f}")
assert isinstance(flat, nn.Parameter) and flat.shape == matrix.shape
assert (flat + orthogonalized(matrix)).norm() < 0.05 * orthogonalized(matrix).norm()

# %% [markdown] tags=["solution"]
# The rest is rounding: PyTorch calculates this in numbers of two bytes.

# %% [markdown]
# ## What next
#
# One processor can do so much; the [next page](63_many_processes.py) lets several processes train together.
# Whitening, alternating flips and mirrors in use are described by Jordan (2024), who names those that he has them from; Muon is by Jordan and others (2024), and Lookahead by Zhang, Lucas, Hinton and Ba (2019).
