"""The estimand plan: datasets, estimators, results with numerator, denominator and unit."""
