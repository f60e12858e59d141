"""MiniWoB++: 125 small web tasks, run through the product's own browser, policies and loop.

Only the HTML of the `miniwob` package (MIT) is used. Nothing is trained on these pages, and no code of the
product knows any of them.
"""
