"""Which believable chain can be shown to a newcomer, with known truth? Files generated from a seed."""

from cxplan.demo.generate import generate_chain
from cxplan.demo.truth import ChainTruth

__all__ = ["ChainTruth", "generate_chain"]
