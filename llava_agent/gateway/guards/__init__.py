"""The guards of the gateway: what is found in a call's parts, and whether it may pass, masked or not.

`Guards` implements `gateway.screen.Screen` from the `guards` section of a policy.
"""

from llava_agent.gateway.guards.guards import Guards, guards_of
from llava_agent.gateway.guards.settings import GuardSettings

__all__ = ["GuardSettings", "Guards", "guards_of"]
