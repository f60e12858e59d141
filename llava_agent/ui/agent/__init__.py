"""The agent desk on the page: a goal and a page in, each step live, questions and approvals, past runs."""
