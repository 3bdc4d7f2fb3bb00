# ---
# jupyter:
#   page:
#     teaches: {}
#     level: advanced
#     read_first: [37_mnist_deep_classifier, 47_overfitting, 51_mistakes]
# ---

# %% [markdown]
# # Does it really learn?
#
# A training program with a mistake in it seldom stops with an error: it learns a little worse, or seems to learn better than it can.
# Here we write eight checks for such a program, each of a few lines.
# Then we break the program in seventeen ways and see which check notices what: together they notice sixteen.
# You should know [autograd](16_autograd.py), the [deep classifier](37_mnist_deep_classifier.py) for MNIST, [dropout](47_overfitting.py), [how sure a figure is](38_how_sure_can_we_be.py), and some [mistakes](51_mistakes.py).

# %%
import math
import statistics
import warnings
from types import SimpleNamespace

import torch
from torch import nn
from torch.autograd import gradcheck
from torch.nn import functional as F

from load import mnist

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## A program in parts
#
# We take the first 5,000 training digits of MNIST, and for validation the last 5,000, which are [set aside](32_mnist_data.py).
# Nothing here is reported as a result, so the test digits are not needed.

# %%
digits = mnist()
rows = torch.cat([torch.arange(5_000), torch.arange(55_000, 60_000)])
images = digits.train_images[rows].to(device)
labels = digits.train_labels[rows].to(device)
print(tuple(images.shape), images.dtype, tuple(labels.shape))

# %% [markdown]
# To be broken in one place at a time, the program is made of small parts.
# The data is split in halves, the model has one hidden layer with dropout, and each step ends as usual: clear the gradients, compute new ones, let the optimizer step.


# %%
def split(x, y, share=1.0):
    """A share of the first half to train on, the second half for validation."""
    half = len(x) // 2
    used = int(share * half)
    return (x[:used], y[:used]), (x[half:], y[half:])


def make_model(activation):
    """One hidden layer of 64 units, with dropout."""
    layers = nn.Linear(784, 64), activation, nn.Dropout(0.4), nn.Linear(64, 10)
    return nn.Sequential(*layers).to(device)


def update(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


# %% [markdown]
# `program` collects the parts by their names, and takes others in their place; `prepare` makes of bytes numbers with mean 0 and standard deviation 1, about.
# `train` is the usual loop; after each epoch the rate falls, in a straight line to 0.


# %%
def program(**other):
    parts = {
        "prepare": lambda images: (images.flatten(1) / 255 - 0.1307) / 0.3081,
        "split": split,
        "new": make_model,
        "activation": nn.ReLU(),
        "loss": F.cross_entropy,
        "parameters": lambda model: model.parameters(),
        "rate": 0.1,  # among the best of those tried below
        "update": update,
        "predict": lambda model, x: model.eval()(x),
    }
    return SimpleNamespace(**parts | other)


def train(p, model, x, y, num_epochs):
    """The model, trained by the program `p` in batches of 32."""
    optimizer = torch.optim.SGD(p.parameters(model), lr=p.rate)
    fall = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, num_epochs)
    for epoch in range(num_epochs):
        model.train()
        for rows in torch.randperm(len(x)).to(device).split(32):
            logits = model(x[rows])
            p.update(optimizer, p.loss(logits, y[rows]))
        fall.step()
    return model


@torch.no_grad()
def accuracy(p, model, x, y):
    """Share of right answers."""
    return (p.predict(model, x).argmax(dim=1) == y).float().mean().item()


# %% [markdown]
# ## The loss at the start
#
# Before training, each of ten classes should get about the same chance, and the [loss of that](37_mnist_deep_classifier.py) is $\ln 10$.
# The first logits are not exactly equal, which moves it by some hundredths, so we allow 0.13.
# What if the last layer were ten times too large, and the logits with it?


# %%
def first_loss(p):
    """Of a new model, on 1,000 digits."""
    logits = p.new(p.activation)(p.prepare(images[:1000]))
    return p.loss(logits, labels[:1000]).item()


fair = first_loss(program())
loud = first_loss(program(loss=lambda z, y: F.cross_entropy(10 * z, y)))
print(f"equal {math.log(10):.2f}, ours {fair:.2f}, ten times {loud:.1f}")
assert abs(fair - math.log(10)) < 0.13 and loud > 3.8

# %% [markdown]
# A loud last layer is sure before it has seen anything, and would spend its first steps on unlearning that.
#
# ## One batch by heart
#
# Before a network sees thousands of digits it should be able to learn 32 by heart.
# We ask for a loss below 0.02: one wrong answer alone costs at least $\ln 2$, and a 32nd of that is more.
# The second time the labels are shuffled, so that there is nothing to understand.


# %% tags=["predict"] ask="The same 32 digits with shuffled labels: what share does it get right?" answers=["shuffled: 1.00", "shuffled: 0.10", "shuffled: 0.50"] why="It has 50,890 parameters for 32 answers, and learns them by heart, right or wrong."
def by_heart(p, y):
    """A model that was trained on 32 digits with labels `y`, and its loss."""
    x = p.prepare(images[:32])
    model = train(p, p.new(p.activation), x, y, num_epochs=200)
    with torch.no_grad():
        return model, p.loss(model.eval()(x), y).item()


own = labels[:32]
shuffled = own[torch.randperm(32).to(device)]
shares = []
for name, y in [("own", own), ("shuffled", shuffled)]:
    model, _ = by_heart(program(), y)
    shares.append(accuracy(program(), model, program().prepare(images[:32]), y))
    print(f"{name}: {shares[-1]:.2f}")

# %%
limit = 0.02  # of the loss
assert limit < math.log(2) / 32 and shares == [1, 1]

# %% [markdown]
# So this check is about the machinery: do gradients arrive, and do the steps go down?
# Of learning it says nothing.
#
# ## Slopes against finite differences
#
# A slope by hand may be wrong, and training often works well enough to hide it.
# Here is the swish, $x\,\sigma(x)$ with the sigmoid $\sigma$ (`F.silu` in PyTorch), as an `autograd.Function`: `forward` keeps what `backward` needs, and `backward` multiplies the gradient that comes from behind by the slope.
# By the product rule the slope is $\sigma(x) + x\,\sigma(x)\,(1 - \sigma(x))$; with a `factor` of 0 its second half is forgotten.
# `gradcheck` nudges each input in turn, by a millionth to both sides, divides what changes by the way between them, a **finite difference**, and compares, within a tolerance.


# %%
class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, factor):
        ctx.save_for_backward(x)
        ctx.factor = factor
        return x * x.sigmoid()

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        s = x.sigmoid()
        return gradient * (s + ctx.factor * x * s * (1 - s)), None  # none for factor


# %%
points = torch.tensor([-1.0, 2.0], dtype=torch.float64, requires_grad=True)
assert gradcheck(lambda x: Swish.apply(x, 1), points)
try:
    gradcheck(lambda x: Swish.apply(x, 0), points)
except RuntimeError as error:
    print(str(error).replace(", dtype=torch.float64", ""))

# %% [markdown]
# The Jacobian is the table of all slopes: the message has first those found by nudging, then ours; off the diagonal both are 0, since each output depends on its own input only.
#
# ## Baselines
#
# Has a network learned anything?
# Its figure is held against something simpler: the [majority baseline](36_diabetes.py), which always says the most frequent digit (here of the validation digits themselves, which is a little too good), and a linear model in the same loop.
# Each side gets the best of four rates, by one run each.


# %%
def validation(p, images, labels, num_epochs):
    """Accuracy on the validation part, after training on the other."""
    (x, y), valid = p.split(p.prepare(images), labels)
    return accuracy(p, train(p, p.new(p.activation), x, y, num_epochs), *valid)


# %%
print(f"majority {labels[5000:].bincount().max() / 5000:.2f}")
best, rates = {}, [0.01, 0.03, 0.1, 0.3]
kinds = {"linear": lambda _: nn.Linear(784, 10).to(device), "ours": make_model}
print(*(f"{rate:5}" for rate in rates), " learning rate")
for name, new in kinds.items():
    programs = [program(new=new, rate=rate) for rate in rates]
    scores = [validation(p, images, labels, num_epochs=5) for p in programs]
    print(*(f"{score:5.2f}" for score in scores), "", name)
    best[name] = max(scores)
bound = best["linear"] + 0.01
assert best["ours"] > bound

# %% [markdown]
# ## Five checks more
#
# - `alone`: the answer to the first digit has a gradient with respect to that digit, and none with respect to another. [Batch normalisation](47_overfitting.py) in training mixes digits on purpose, so we look in `eval()` mode.
# - `moves`: a step changes each of the model's tensors by more than a millionth (less could be rounding), and they hold as many numbers as we count on paper, so that none is missing.
# - `same`: a model that is asked twice answers the same.
# - `chance`: with made-up labels, validation is right by chance only. If not, the model has seen what it is judged by.
# - `beats`: with the true labels it is ahead of the linear model, by a point.


# %%
def alone(p):
    x = p.prepare(images[:8]).requires_grad_()
    answer = p.predict(p.new(p.activation), x)[0].sum()
    (slopes,) = torch.autograd.grad(answer, x, materialize_grads=True)  # (8, 784)
    return slopes[0].any() and not slopes[1:].any()


def moves(p):
    model = p.new(p.activation)
    old = [tensor.detach().clone() for tensor in model.parameters()]
    train(p, model, p.prepare(images[:32]), own, num_epochs=1)
    changed = [(a - b).abs().max() > 1e-6 for a, b in zip(old, model.parameters())]
    return all(changed) and sum(map(torch.numel, old)) == 784 * 64 + 64 + 64 * 10 + 10


def same(p):
    model, x = p.new(p.activation), p.prepare(images[:100])
    return torch.equal(p.predict(model, x), p.predict(model, x))


# %%
made_up = torch.randint(10, (600,)).to(device)
checks = {
    "start": lambda p: abs(first_loss(p) - math.log(10)) < 0.2,
    "heart": lambda p: by_heart(p, own)[1] < limit,
    "slope": lambda p: gradcheck(p.activation, points, raise_exception=False),
    **{"alone": alone, "moves": moves, "same": same},
    "chance": lambda p: validation(p, images[4700:5300], made_up, 40) < 0.2,
    "beats": lambda p: validation(p, images, labels, 5) > bound,
}

# %% [markdown]
# ## Seventeen broken programs
#
# A program with one mistake planted in it is a **mutant**.
# Some mistakes need a few lines, most of them one: what stands in the place of a part.
# (What raises an error, such as labels of the wrong length, needs no check.)


# %%
def no_zero_grad(optimizer, loss):
    loss.backward()
    optimizer.step()


def zero_grad_late(optimizer, loss):
    loss.backward()
    optimizer.zero_grad(set_to_none=True)
    optimizer.step()


class Layer(nn.Module):
    """A function as a layer; in a plain list no module looks for parameters."""

    def __init__(self, function):
        super().__init__()
        self.functions = [function]

    def forward(self, x):
        return self.functions[0](x)


first = Layer(nn.Linear(784, 64).to(device))

# %%
mutants = {
    "unbroken": {},
    "no zero_grad": {"update": no_zero_grad},
    "zero_grad after backward": {"update": zero_grad_late},
    "first layer not stepped": {"parameters": lambda model: model[1:].parameters()},
    "layer in a plain list": {
        "new": lambda a: nn.Sequential(first, *make_model(a)[1:])
    },
    "hidden layer detached": {"activation": Layer(lambda x: x.detach().relu())},
    "softmax before the loss": {"loss": lambda z, y: F.cross_entropy(z.softmax(1), y)},
    "rate 100 times too small": {"rate": 0.001},
    "rate 100 times too large": {"rate": 10},
    "raw bytes": {"prepare": lambda images: images.flatten(1).float()},
    "loud last layer": {"new": lambda a: make_model(a).append(Layer(lambda z: 10 * z))},
    "eval() forgotten": {"predict": lambda model, x: model(x)},
    "labels slip by one": {"split": lambda x, y: split(x, y.roll(1))},
    "no ReLU": {"activation": nn.Identity()},
    "half a product rule": {"activation": Layer(lambda x: Swish.apply(x, 0))},
    "mean over the batch": {"activation": Layer(lambda x: (x - x.mean(dim=0)).relu())},
    "trained on validation": {"split": lambda x, y: ((x, y), split(x, y)[1])},
    "a quarter not used": {"split": lambda x, y: split(x, y, share=0.75)},
}

# %% tags=["predict"] ask="Which check alone notices most of them?" answers=["most: beats", "most: heart", "most: start"] why="Nearly everything that is wrong in the end costs accuracy. But this check is the one that takes a whole training."
noticed = {}
print(*range(1, len(checks) + 1))
for name, other in mutants.items():
    noticed[name] = {c for c, check in checks.items() if not check(program(**other))}
    print(*("x" if check in noticed[name] else "." for check in checks), "", name)
found = [check for marks in noticed.values() for check in marks]
for i, check in enumerate(checks, start=1):
    print(f"{i} {check}: {found.count(check)}")
print("most:", max(checks, key=found.count))
unnoticed = [name for name in mutants if not noticed[name]]
four = {"slope", "alone", "chance", "beats"}
assert unnoticed == [name for name in mutants if not noticed[name] & four]
assert unnoticed == ["unbroken", "a quarter not used"]

# %% [markdown]
# The unbroken program passes all eight, and of seventeen mutants one does as well.
# `beats` alone notices thirteen, but it takes a whole training, and tells no more than that something is wrong.
# `heart` needs one batch, and notices ten; labels that slip by one it cannot see, as it has a batch of its own, which the program's `split` never touches.
#
# Four mutants beat the linear model all the same.
# Of three, a check made for their like tells: `slope` of half a product rule, `alone` of a mean over the batch, `chance` of validation digits that are trained on.
# (`moves` notices the mean as well: to subtract it takes the bias of the first layer away again, so that bias gets no gradient.)
# With `slope`, `alone`, `chance` and `beats`, all that is noticed by eight is noticed by four; the others tell sooner, and more exactly, what is wrong.
#
# ## The one that none notices
#
# With three quarters of the training digits all works as it should; only the accuracy is a little lower, and still far ahead of the linear model.
# To see that takes a comparison: three seeds on each side, at the same rate, and the same validation digits.
# (With fewer digits an epoch has fewer steps as well; both are the fault's.)

# %%
runs = {}
for name in unnoticed:
    runs[name] = []
    for seed in [1, 2, 3]:
        torch.manual_seed(seed)
        runs[name].append(validation(program(**mutants[name]), images, labels, 5))
    mean, spread = statistics.mean(runs[name]), statistics.stdev(runs[name])
    print(f"{mean:.3f} ± {spread:.3f}  {name}")
print(f"standard error {math.sqrt(mean * (1 - mean) / 5000):.3f}")
assert statistics.mean(runs["unbroken"]) > mean

# %% [markdown]
# It is 0.940 against 0.935, where the standard deviation of the seeds is 0.002 at most: more than the seeds explain, though other validation digits could move each figure by a standard error of 0.003, and nobody sees it who has one of the two programs only.
#
# ## Try it yourself
#
# **1.** Check the right slope of `Swish` in 32 bits: is it `passed`, `True` or `False`?
# PyTorch warns, so collect its warning; of the seven digits of such a number, a nudge by a millionth is about the last.

# %% tags=["solution"]
narrow = points.detach().float().requires_grad_()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    passed = gradcheck(lambda x: Swish.apply(x, 1), narrow, raise_exception=False)
print(f"passed: {passed}, with {len(caught)} warning")
assert passed is False

# %% [markdown]
# **2.** Write a check `complete(p)` that notices the unused digits, without any training.
# Call the program that leaves a quarter of them unused `broken`.


# %% tags=["solution"]
def complete(p):
    (x, y), (valid_x, valid_y) = p.split(images, labels)
    return len(x) == len(y) == 5_000 and len(valid_x) == len(valid_y) == 5_000


broken = program(**mutants["a quarter not used"])
print(complete(program()), complete(broken))
assert complete(program()) and not complete(broken)

# %% [markdown]
# ## What next
#
# The pages of this site are [checked in the same way](../docs/how-it-works.md): they are broken on purpose, and [of the mutants that were tried](../docs/measured.md) nearly all are noticed.
# Looking at the first loss and learning one batch by heart are steps of Andrej Karpathy's [recipe for training neural networks](https://karpathy.github.io/2019/04/25/recipe/); mutants come from Richard DeMillo, Richard Lipton and Frederick Sayward, who tested tests with them in 1978.
