# ---
# jupyter:
#   page:
#     teaches: {}
#     level: beginner
#     read_first: []
# ---

# %% [markdown]
# # A page whose figure shows another array than was recorded

# %%
import matplotlib.pyplot as plt

losses, accuracies = [0.5, 0.3, 0.2, 0.15], [0.7, 0.8, 0.85, 0.9]
print("loss", losses[-1])
assert losses[-1] < losses[0]

# %% alt="A line that falls"
fig, ax = plt.subplots()
ax.plot(accuracies)
ax.set(xlabel="epoch", ylabel="loss")
plt.show()
