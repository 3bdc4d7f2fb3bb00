# ---
# jupyter:
#   page:
#     teaches: {}
#     level: beginner
#     read_first: []
# ---

# %% [markdown]
# # A page that runs out of memory

# %%
import torch

print("fine so far")

# %%
hoard = torch.ones(10**15)
