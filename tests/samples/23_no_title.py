# ---
# jupyter:
#   page:
#     teaches: {}
#     level: beginner
#     read_first: []
# ---

# %% [markdown]
# A page without an H1.

# %%
print("hello")
