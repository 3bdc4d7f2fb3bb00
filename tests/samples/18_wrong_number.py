# ---
# jupyter:
#   page:
#     teaches: {}
#     level: beginner
#     read_first: []
# ---

# %% [markdown]
# # A page that prints a number beyond tolerance

# %%
print("epoch 1 loss 0.500")
print("epoch 2 loss 0.260")
assert 0.26 < 0.5
