"""What the commands of both command lines share: options and output."""
