"""The sub-commands of `llava-agent`, one file each. They read options, call the product and print; no more."""
