"""Settings for all tests."""

from hypothesis import settings

# A busy machine must not make a test fail, so no example has a deadline.
settings.register_profile("quick", deadline=None, max_examples=60)
settings.load_profile("quick")
