# ---
# jupyter:
#   page:
#     teaches: {}
#     level: beginner
#     read_first: []
# ---

# %% [markdown]
# # A page one of whose asserts is not reached

# %%
loss = 0.25
print(f"loss {loss}")
assert loss < 1

# %%
for epoch in range(0):
    assert loss < 0.1, epoch
