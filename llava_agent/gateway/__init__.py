"""Every model call goes through here: `complete` for text, `choose` for a distribution over candidates."""
