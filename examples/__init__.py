"""Things to try the product on."""
