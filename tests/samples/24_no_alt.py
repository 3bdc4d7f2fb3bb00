# ---
# jupyter:
#   page:
#     teaches: {}
#     level: beginner
#     read_first: []
# ---

# %% [markdown]
# # A page whose figure has no text alternative

# %%
import matplotlib.pyplot as plt

print("a figure")

# %%
fig, ax = plt.subplots()
ax.plot([1, 0])
plt.show()
