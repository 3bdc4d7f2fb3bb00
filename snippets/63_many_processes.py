# ---
# jupyter:
#   page:
#     teaches: {}
#     level: advanced
#     read_first: [25_batches, 46_lenet]
# ---

# %% [markdown]
# # Many processes
#
# One processor, or one GPU, can be too slow for a training, or too small for it.
# Then several processes train together, each on a part of every [batch](25_batches.py).
# We train a network in two processes and get the weights that one process gets: none is off by as much as 0.0001.
# Then one of the two dies, and both go on from a [checkpoint](46_lenet.py).
# Last each process keeps only half of the network, as if on two machines.
# All of it runs without a GPU; with two or more the same programs would use them, which is still to be tried.
# You should know [training on MNIST](33_mnist_logistic_regression.py) and [data sets](27_data_sets.py), whose workers are processes, too.

# %%
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DistributedSampler

from load import mnist

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## Ranks
#
# Processes share no variables.
# What all of them need goes into a file: 1,280 digits, their labels, the weights to start from, and how to train.

# %%
batch_size = 128  # ten steps in an epoch
num_epochs = 3
settings = {"lr": 0.1, "momentum": 0.9}  # of SGD; learns quickly, and remembers

digits = mnist()
images = (digits.train_images[:1280].flatten(1) / 255).to(device)  # (1280, 784)
labels = digits.train_labels[:1280].to(device)
model = nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10)).to(device)
num_parameters = sum(p.numel() for p in model.parameters())

files = tempfile.TemporaryDirectory()
common = images.cpu(), labels.cpu(), model.state_dict(), batch_size, num_epochs
torch.save((*common, settings), Path(files.name) / "start.pt")
print(f"{num_parameters:,} parameters")

# %% [markdown]
# The programs that we start are short texts, made of pieces, and all begin with the one below.
# Each is started as two processes at once.
# `init_process_group` makes them a **process group**, whose members can send each other tensors.
# With Gloo it waits until all are there; NCCL waits when something is sent for the first time.
# A process's **rank** is its number in the group, from 0, and the **world size** is how many there are.
# NCCL is the library that sends from GPU to GPU, Gloo the one for processors; `LOCAL_RANK` is the number on its machine, and chooses the GPU.

# %%
begin = """
import os
import torch
import torch.distributed as dist
from torch import nn
from torch.nn import functional as F

on_gpus = torch.cuda.device_count() > 1
device = torch.device(f"cuda:{os.environ['LOCAL_RANK']}" if on_gpus else "cpu")
if on_gpus:
    torch.cuda.set_device(device)  # else some things would go to the first GPU
dist.init_process_group("nccl" if on_gpus else "gloo")
rank, world_size = dist.get_rank(), dist.get_world_size()

common = torch.load("../start.pt", map_location=device)
images, labels, weights, batch_size, num_epochs, settings = common
model = nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10)).to(device)
model.load_state_dict(weights)
result = {"rank": rank, "world size": world_size}
"""
end = """
torch.save(result, f"rank{rank}.pt")
dist.barrier()  # none leaves before all have come here
dist.destroy_process_group()
"""

# %% [markdown]
# `python -m torch.distributed.run`, called `torchrun` for short, starts the processes and tells each its rank.
# `--standalone` means: on this machine alone.
# Each process gets one thread, and whatever happens, all have ended when `start` returns.


# %%
def start(name, *pieces, options=("--standalone --nproc-per-node=2",), **variables):
    """Run a program with torchrun, once for each of `options`; results by rank."""
    own = Path(files.name) / name
    own.mkdir()
    (own / "program.py").write_text("\n".join([begin, *pieces, end]))
    command = [sys.executable, "-m", "torch.distributed.run", "--local-addr=localhost"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    variables |= {"OMP_NUM_THREADS": "1", "TMPDIR": str(own)}
    setting = {"cwd": own, "env": os.environ | variables, **pipes}
    lines = [[*command, *option.split(), "program.py"] for option in options]
    torchruns = [subprocess.Popen(line, **setting) for line in lines]
    try:
        said = [torchrun.communicate(timeout=300)[0] for torchrun in torchruns]
    finally:
        for torchrun in torchruns:
            torchrun.terminate()  # and its ranks; nothing where it has ended
            torchrun.wait()
    if any(torchrun.returncode for torchrun in torchruns):
        raise RuntimeError("\n".join(said))
    return [torch.load(own / f"rank{i}.pt", map_location="cpu") for i in range(2)]


# %% [markdown]
# In an **all-reduce** each rank contributes a tensor, and all get the sum.

# %%
add_up = """
mine = torch.tensor([1.0, 10.0], device=device) * (rank + 1)
total = mine.clone()
dist.all_reduce(total)
result |= {"mine": mine, "total": total}
"""

# %% [markdown]
# ## A gradient from two halves
#
# Each rank computes the gradient of its part of a batch; wanted is that of the whole.
# By hand that is an all-reduce of the gradients, divided by the world size: their mean.
# `DistributedDataParallel`, DDP for short, wraps a model and does the same during `backward()`.
# When it wraps a model it also sends the weights of rank 0 to all, so that all start alike.
# We let both do it in three cases, in one program with the sum above: two halves, two halves with the loss as a sum, and parts of unequal size.

# %%
gradients = """
from copy import deepcopy

def gradient(model, rows, reduction):
    loss = F.cross_entropy(model(images[rows]), labels[rows], reduction=reduction)
    model.zero_grad()
    loss.backward()
    return torch.cat([p.grad.flatten() for p in model.parameters()])

ddp = nn.parallel.DistributedDataParallel(deepcopy(model))
cases = {"halves": (64, "mean"), "sums": (64, "sum"), "unequal": (16, "mean")}
for name, (cut, reduction) in cases.items():
    rows = slice(0, cut) if rank == 0 else slice(cut, batch_size)
    own = gradient(model, rows, reduction)
    total = own.clone()
    dist.all_reduce(total)
    result[name] = {"own": own, "by hand": total / world_size}
    result[name]["DDP"] = gradient(ddp, rows, reduction)
    result[name]["whole"] = gradient(model, slice(0, batch_size), reduction)
"""

# %%
results = start("first", add_up, gradients)
for result in results:
    mine, total = result["mine"].tolist(), result["total"].tolist()
    print(f"rank {result['rank']} of {result['world size']}: {mine}, in all {total}")
assert torch.equal(results[0]["total"], results[0]["mine"] + results[1]["mine"])

# %% [markdown]
# How far is DDP's gradient from that of all 128 digits, as a share of its length?

# %% tags=["predict"] ask="The loss is a sum over the digits, and each rank has half of them. How far off is DDP's gradient?" answers=["0.00  sums", "0.50  sums", "1.00  sums"] why="The sum over all digits is that of the two halves; DDP takes their mean, which is half of it."
distance = {}
for name in ["halves", "sums", "unequal"]:
    found = results[0][name]
    off = (found["DDP"] - found["whole"]).norm() / found["whole"].norm()
    distance[name] = off.item()
    print(f"{off:.2f}  {name}")
    assert torch.allclose(found["DDP"], found["by hand"], rtol=1e-4, atol=1e-4)

# %%
assert distance["halves"] < 1e-4 and abs(distance["sums"] - 0.5) < 1e-4
assert distance["unequal"] > 0.44

# %% [markdown]
# DDP's gradient is the one by hand: the mean over the ranks, whatever the loss.
# Where the loss is a mean and the parts are equal, that is the gradient of the whole batch.
# Where it is a sum, it is half of it: in gradient descent, as if the learning rate were halved.
# Where the parts differ in size, each digit of the smaller one counts more than one of the larger.
#
# ## Who sees which samples
#
# In each epoch every sample should be seen once, by one of the ranks.
# A `DistributedSampler` shuffles with the same seed on every rank, and deals the order out like cards.
# Told world size and rank, it needs no process group, so we can look at two of them here.
# The number of the epoch goes into the seed, and `set_epoch` says it.

# %%
samplers = [DistributedSampler(range(8), num_replicas=2, rank=i) for i in range(2)]
first = [list(sampler) for sampler in samplers]
second = [list(sampler) for sampler in samplers]
for sampler in samplers:
    sampler.set_epoch(1)
said = [list(sampler) for sampler in samplers]
print("first:", *first)
print("second:", "same order" if second == first else "another order")
print("said:", *said)

# %%
assert second == first != said
assert sorted(first[0] + first[1]) == sorted(said[0] + said[1]) == list(range(8))

# %% [markdown]
# No sample is in both hands, and together they hold all eight.
# If `set_epoch` is forgotten nothing fails, and every epoch has the same batches.
# A [`DataLoader`](27_data_sets.py) takes such a sampler as `sampler=`, in place of `shuffle=True`.
#
# ## The same training in two processes
#
# The batch is split among the ranks; the rest of the loop is the usual one, with [momentum](37_mnist_deep_classifier.py).
# After each step the ranks take the mean of their losses, to note it.

# %%
loop = """
from torch.utils.data import DistributedSampler

sampler = DistributedSampler(labels)  # asks the group for world size and rank
optimizer = torch.optim.SGD(model.parameters(), **settings)
losses = []

def train_epoch(epoch):
    sampler.set_epoch(epoch)
    for rows in torch.tensor(list(sampler)).split(batch_size // world_size):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        mean_loss = loss.detach() / world_size
        dist.all_reduce(mean_loss)
        losses.append(mean_loss.item())
"""
ddp = "model = nn.parallel.DistributedDataParallel(model)"
three_epochs = """
for epoch in range(num_epochs):
    train_epoch(epoch)
result |= {"losses": losses, "weights": model.state_dict()}
"""
trained = start("ddp", ddp, loop, three_epochs)

# %% [markdown]
# The same in this process.
# With a world size of 1 the sampler hands out the whole order, and a batch is what the two ranks had between them.

# %%
optimizer = torch.optim.SGD(model.parameters(), **settings)
sampler = DistributedSampler(labels, num_replicas=1, rank=0)
losses = []
for epoch in range(num_epochs):
    sampler.set_epoch(epoch)
    for rows in torch.tensor(list(sampler)).split(batch_size):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())


# %%
def farthest(results):
    """How far a weight on any rank is from that of one process, at most."""
    own = [list(result["weights"].values()) for result in results]
    pairs = [pair for both in own for pair in zip(both, model.state_dict().values())]
    return max((a - b.cpu()).abs().max().item() for a, b in pairs)


print("step  one process  two")
for step in [1, 10, 20, 30]:
    print(f"{step:4}  {losses[step - 1]:11.3f}  {trained[0]['losses'][step - 1]:.3f}")
assert torch.allclose(torch.tensor(trained[0]["losses"]), torch.tensor(losses), 1e-4)
assert farthest(trained) < 0.0001

# %% [markdown]
# The losses are the same, and so are the weights on both ranks: none is off by as much as 0.0001, and what is left is rounding.
# So two processes change nothing about what this network learns.
# (Batch normalisation would see the half of a batch on each rank, unless `nn.SyncBatchNorm` takes its place, which needs GPUs, and with dropout each rank draws its own masks.)
# What is known about learning rates holds for the batch of all ranks together.
#
# ## A rank that dies
#
# In a long training on many machines some process will die, and the others cannot go on, as each step waits for all.
# With `--max-restarts=1` torchrun then ends them and starts all again, once, from the first line of the program.
# So the program has to look for a checkpoint, and rank 0 writes one after each epoch: into a new file, which is then renamed, so that no death leaves half of one.
#
# In step 16 rank 1 dies for real: `os._exit` ends a process at once.

# %%
careful = """
restarts = int(os.environ["TORCHELASTIC_RESTART_COUNT"])

def mishap(*_):
    if rank == 1 and restarts == 0 and len(losses) == 15:
        os._exit(1)

optimizer.register_step_post_hook(mishap)  # called at the end of each step
first_epoch = 0
if os.path.exists("checkpoint.pt"):
    saved = torch.load("checkpoint.pt", map_location=device)
    first_epoch, losses = saved["epoch"] + 1, saved["losses"]
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
result |= {"restarts": restarts, "resumed after": len(losses)}

for epoch in range(first_epoch, num_epochs):
    train_epoch(epoch)
    states = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    if rank == 0:
        torch.save({"epoch": epoch, "losses": losses, **states}, "new.pt")
        os.replace("new.pt", "checkpoint.pt")
result |= {"losses": losses, "weights": model.state_dict()}
"""

# %% [markdown]
# Ranks find each other by a list of addresses that torchrun keeps.
# By default it keeps the old ones, too, and a rank that reads one of those in the second attempt fails (a [known fault](https://github.com/pytorch/pytorch/issues/135712)); the variable below makes a new list for each.

# %% tags=["predict"] ask="Each epoch has ten steps, and rank 1 dies in step 16. How many steps are done twice?" answers=["steps done twice: 6", "steps done twice: 16", "steps done twice: 1"] why="The last checkpoint was written after step 10, and everything since then is lost, on rank 0 as well."
once = ["--standalone --nproc-per-node=2 --max-restarts=1"]
new_list = {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
restarted = start("dies", ddp, loop, careful, options=once, **new_list)
print("restarts:", restarted[0]["restarts"])
print("steps done twice:", 16 - restarted[0]["resumed after"])
assert restarted[0]["restarts"] == 1 and len(restarted[0]["losses"]) == 30
assert farthest(restarted) < 0.0001

# %% [markdown]
# The end is that of the undisturbed run, weight by weight.
# For that the checkpoint has the optimizer's state as well, which is the momentum, and the epoch.
# (The names in it begin with `module.`, where DDP keeps the network; for a file to use elsewhere one saves the state of `model.module`.)
#
# ## Half of a network on each of two machines
#
# With DDP every rank holds the whole network, so one that does not fit on one GPU fits on none.
# With `fully_shard` each rank holds a part of every tensor, a **shard**.
# Before a layer is used the ranks send each other their parts of it, and they forget them afterwards; of the gradient each gets its own part only.
# It has to be called before the optimizer is made, which then keeps shards, too; the loop stays as it is.

# %%
shards = """
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

mesh = init_device_mesh(device.type, (world_size,))  # the ranks that share
for part in [model[0], model[2], model]:
    fully_shard(part, mesh=mesh)
"""
held = """
def held(tensors):
    return sum(tensor.to_local().numel() for tensor in tensors)

result["held"] = {
    "weights": held(model.parameters()),
    "gradients": held(p.grad for p in model.parameters()),
    "momentum": held(s["momentum_buffer"] for s in optimizer.state.values()),
}
result["weights"] = {name: w.full_tensor() for name, w in model.state_dict().items()}
"""

# %% [markdown]
# A network so large may need more than one machine.
# On each of two, with eight GPUs, one would type the same line (which is not run here):
#
# ```text
# torchrun --nnodes=2 --nproc-per-node=8 --rdzv-backend=c10d \
#   --rdzv-endpoint=first-machine:29400 program.py
# ```
#
# The endpoint is where they meet: the name of one of them, and a port that is free there.
# The program is the same on one machine or on many; only the files that it reads, data and checkpoint, have to be there for each.
# Our machine plays both, by two torchruns of one process each.

# %%
with socket.socket() as free:
    free.bind(("localhost", 0))  # 0: any port that is free
    endpoint = f"localhost:{free.getsockname()[1]}"
line = f"--nnodes=2 --nproc-per-node=1 --rdzv-backend=c10d --rdzv-endpoint={endpoint}"
pieces = [shards, loop, three_epochs, held]
no_gpu = {"CUDA_VISIBLE_DEVICES": ""}  # else both would take the first
sharded = start("machines", *pieces, options=[line, line], **no_gpu)
for name, number in sharded[0]["held"].items():
    print(f"{number:,} of {num_parameters:,}  {name}")
    assert number == num_parameters / 2
assert sharded[1]["rank"] == 1 and farthest(sharded) < 0.0001

# %% [markdown]
# Half of everything, and the same training.
# How much memory is that worth with [Adam](33_mnist_logistic_regression.py)?
# We count the bytes of a small layer after one step, and leave out Adam's count of its steps.

# %% tags=["predict"] ask="How many GB do 7 billion parameters take in training with Adam, in numbers of four bytes?" answers=["112 GB on one", "28 GB on one", "56 GB on one"] why="Weight, gradient and two averages make four numbers, 16 bytes, for each parameter."
tiny = nn.Linear(100, 100)
adam = torch.optim.Adam(tiny.parameters())
tiny(torch.ones(1, 100)).sum().backward()
adam.step()

kept = [tensor for p in tiny.parameters() for tensor in (p, p.grad)]
kept += [t for state in adam.state.values() for t in state.values() if t.ndim]
num_kept = sum(tensor.numel() for tensor in kept)
num_bytes = 4 * num_kept // sum(p.numel() for p in tiny.parameters())  # for each
whole = 7 * num_bytes  # GB, for 7 billion parameters
print(f"{whole} GB on one GPU, {whole // 8} GB on each of eight")

# %% [markdown]
# DDP needs the 112 GB on every GPU, and unless told `gradient_as_bucket_view=True` room for the gradients once more, to send them from.
# Shards need 14 on each of eight.
# Both need room for what the layers have put out, shards for the layer at work as well.
# Shards send more than DDP does, weights as well as gradients, so they are for networks that do not fit otherwise.
#
# What do many processes cost?
# With DDP each rank sends in every step between one and two times as many numbers as there are parameters, however few samples it looked at.
# So many processes are worth it where each has a processor or GPU of its own, and much to compute between two gradients: with large batches, or with convolutions, which use each weight at many places.
# Our network is far too small for that: it only shows that two processes compute the same.
#
# ## Try it yourself
#
# **1.** Deal 11 samples to two ranks, with the samplers' own seed.
# Which of them comes twice?
# Put it into a set `twice`.

# %% tags=["solution"]
hands = [list(DistributedSampler(range(11), num_replicas=2, rank=i)) for i in (0, 1)]
cards = hands[0] + hands[1]
twice = {card for card in cards if cards.count(card) == 2}
print(f"{len(cards)} cards, twice: {twice}")
assert twice == {next(iter(DistributedSampler(range(11), num_replicas=2, rank=0)))}

# %% [markdown] tags=["solution"]
# All ranks must take equally many steps, or one would wait for ever, so the first card of the order is dealt again.
# A test set that is dealt in this way counts some samples twice.

# %% [markdown]
# **2.** One rank has 16 digits of a batch of 128, the other 112.
# By which two `factors` should they multiply their losses, so that the mean of their gradients is that of the whole batch?
# Put the two gradients, each times its factor, into a list `weighted`.
# `results[0]["unequal"]["own"]` is the gradient of the 16, `results[1]["unequal"]["own"]` that of the 112.

# %% tags=["solution"]
factors = [2 * 16 / 128, 2 * 112 / 128]  # world size times share of the batch
print("factors", factors)
assert torch.allclose(torch.tensor(factors), torch.tensor([0.25, 1.75]))
weighted = [f * r["unequal"]["own"] for f, r in zip(factors, results, strict=True)]
assert torch.allclose(sum(weighted) / 2, results[0]["unequal"]["whole"], atol=1e-5)

# %%
files.cleanup()

# %% [markdown]
# ## What next
#
# A network that took many processes to train is used in one, and often not in Python: [Out of Python](64_out_of_python.py) writes it down for others.
# Shards of weights, gradients and averages are the idea of Samyam Rajbhandari and others (2020), who call it ZeRO.
