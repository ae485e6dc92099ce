"""`uike ladder`: an exchange as the diagram that a textbook draws, but of a run that happened."""
