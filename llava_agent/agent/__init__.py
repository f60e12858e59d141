"""State -> Policy -> Action -> Observation, verified and recorded."""
