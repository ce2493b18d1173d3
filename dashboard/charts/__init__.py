"""Charts: figures, their tooltips, axes and colours. Pure Plotly."""
