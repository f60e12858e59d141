"""What every request passes: id, headers, origin, identity, permission, limits; errors as problem+json."""
