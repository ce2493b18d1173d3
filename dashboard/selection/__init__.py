"""What a viewer has chosen: the address, the choices, and the answer to it."""
