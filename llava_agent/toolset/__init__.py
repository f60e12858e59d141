"""Which tools an installation has: from one strict YAML to a toolbox, and its own tools over MCP."""
