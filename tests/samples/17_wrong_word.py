# ---
# jupyter:
#   page:
#     teaches: {}
#     level: beginner
#     read_first: []
# ---

# %% [markdown]
# # A page that prints a wrong word

# %%
print("the loss falls")
assert 0.26 < 0.5
