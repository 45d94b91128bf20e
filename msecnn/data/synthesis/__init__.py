"""Music that the corpus lacks, made from what is free; teachers listen to what comes out.

Each recipe plans `Piece`s (what is mixed, how, what is known to be true of it); `write_pieces` renders them.
"""
