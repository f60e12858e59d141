"""What this product can reach over the network: every path that could open a connection is really tried."""

from llava_agent.reach.attempt import Attempt, Verdict, proved
from llava_agent.reach.prove import prove

__all__ = ["Attempt", "Verdict", "prove", "proved"]
