"""How fast and how right is it, beside named references?"""
