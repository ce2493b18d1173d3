"""The viewer's selection: its address, the choices, and the answer to it."""
