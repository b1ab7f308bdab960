"""The web shop (WebShop): find what is asked for, choose its options, buy it."""

from tmbr.tasks.webshop.task import Webshop

__all__ = ["Webshop"]
