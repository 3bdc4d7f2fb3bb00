# ---
# jupyter:
#   page:
#     teaches: {}
#     level: beginner
#     read_first: []
# ---

# %% [markdown]
# # A page that raises

# %%
def divide(a, b):
    return a / b


print("still fine")

# %%
print(divide(1, 1))
print(divide(1, 0))
