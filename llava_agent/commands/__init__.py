"""The sub-commands of `llava-agent`, one file each: they read options, call the product and print."""
