"""Speed of the engines, beside a peer on the same weights and beside what the machine can do at most."""
