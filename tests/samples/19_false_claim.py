# ---
# jupyter:
#   page:
#     teaches: {}
#     level: beginner
#     read_first: []
# ---

# %% [markdown]
# # A page whose claim does not hold

# %%
test_accuracy = 0.91
print(test_accuracy)

# %%
assert test_accuracy > 0.97
