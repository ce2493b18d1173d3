"""Charts as pictures: their figures, and the browser that draws them."""
