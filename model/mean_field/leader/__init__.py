"""The leader above the followers' equilibrium: commitment, feedback, alternation, softmax."""
