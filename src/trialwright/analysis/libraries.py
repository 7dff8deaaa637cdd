"""What comparisons work with that takes long to load: for a second process, while the ledger is read."""

#: With what they bring: scikit-learn, pandas and the distributions of scipy.
LIBRARIES = ("trialwright.statistics.firth", "firthmodels", "statsmodels.stats.multitest")
