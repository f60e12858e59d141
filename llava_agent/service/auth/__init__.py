"""Who asks and what they may do: users, sessions, API keys, roles and rights."""
