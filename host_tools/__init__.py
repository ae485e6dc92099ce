"""Host tools of uike: build the image, emulate a board, read its trace."""
