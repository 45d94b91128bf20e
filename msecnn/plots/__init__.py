"""Results to figures: arrays in, a Plotly or matplotlib figure out."""
