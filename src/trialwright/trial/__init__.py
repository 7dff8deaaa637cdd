"""What can happen in a trial: events, fold, decide, facts, schedule, dose."""
