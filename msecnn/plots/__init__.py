"""Results to figures. Each picture is defined once.

What people hover and zoom is a Plotly figure; `static.draw` draws the same figure by matplotlib for PNG and SVG, and
`html.div` puts it into a page. Spectrograms, and bars that the page draws itself, are matplotlib's alone.
"""
