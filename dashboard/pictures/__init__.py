"""Charts as pictures: what is drawn, and the browser that draws it."""
