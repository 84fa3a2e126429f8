"""The paper venue: orders of mode "paper", matched here on a real exchange's prices."""

from adapters.paper.trading import PaperSettings, PaperTrading

__all__ = ["PaperSettings", "PaperTrading"]
