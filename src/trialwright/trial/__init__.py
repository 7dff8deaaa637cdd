"""What can happen in a trial: events, fold, decide, derive, schedule, dose."""
