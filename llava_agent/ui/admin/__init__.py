"""The admin desk on the page: accounts, policy, usage, budgets and the audit log, as far as a role goes."""
