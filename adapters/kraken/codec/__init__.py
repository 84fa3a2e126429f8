"""Read and write Kraken's wire: WebSocket v2 and REST. Pure: bytes in, our words out.

Numbers stand on the WebSocket as bare JSON numbers whose digits count, so everything is
read as exact Decimal. Keys we do not know are never refused: the venue adds some unasked.
"""
